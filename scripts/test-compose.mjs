// Brings the whole system up with docker compose, plays the demo against it, kills a container of everything in turn
// (as a crash of the program does, so that Docker starts it again) and plays the demo once more, then takes it all down.
// `npm run test:compose`. Needs Docker and the ports of the demo.
import { execFileSync, spawnSync } from 'node:child_process';

const project = 'behalf-test';
const compose = ['compose', '-p', project];
const restartTimeoutMs = 120_000;

const docker = (...args) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
const show = (command, ...args) => execFileSync(command, args, { stdio: 'inherit' });
const playDemo = () => show(process.execPath, 'dist/deploy/demo/story/main.js');

try {
  show('docker', ...compose, 'up', '-d', '--build');
  playDemo();
  for (const service of ['gateway', 'policy', 'elicitation', 'authorization-server']) await crash(service);
  playDemo();
  for (const service of ['nats', 'redis', 'postgres']) await crash(service);
  await until(() => services().every(isHealthy));
  playDemo();
  console.log(
    'docker compose: the demo was played three times, before and after every container had crashed once',
  );
} catch (error) {
  tellOfUnhealthy();
  throw error;
} finally {
  show('docker', ...compose, 'down', '-v', '--timeout', '40');
}

/** What the containers that are not well have said last, and what their last health checks found. */
function tellOfUnhealthy() {
  for (const container of services().filter((one) => !isHealthy(one))) {
    console.error(docker('inspect', '-f', '{{.Name}} {{.State.Status}} {{json .State.Health}}', container));
    spawnSync('docker', ['logs', '--tail', '50', container], { stdio: 'inherit' });
  }
}

/** Kills the program of one container; the others of its service go on. */
async function crash(service) {
  const [container] = docker(...compose, 'ps', '-q', service).split('\n');
  const starts = () => Number(docker('inspect', '-f', '{{.RestartCount}}', container));
  const before = starts();
  process.kill(Number(docker('inspect', '-f', '{{.State.Pid}}', container)), 'SIGKILL');
  await until(() => starts() > before && isHealthy(container));
  console.log(`${service} crashed, and is back`);
}

function services() {
  return docker(...compose, 'ps', '-q')
    .split('\n')
    .filter((container) => docker('inspect', '-f', '{{.State.Health}}', container) !== '<nil>');
}

function isHealthy(container) {
  return (
    docker('inspect', '-f', '{{.State.Status}} {{.State.Health.Status}}', container) === 'running healthy'
  );
}

async function until(isSo) {
  const giveUpAtMs = Date.now() + restartTimeoutMs;
  while (!isSo()) {
    if (Date.now() > giveUpAtMs) throw new Error('a container that crashed did not come back');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
