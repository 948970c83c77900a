// Runs real MCP clients, headless, against a standalone that is started here on free ports with a fresh data folder.
// `npm run test:clients -- [--report FILE] [--only TEXT]`. Ends only what it started.
import { spawn } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { report: { type: 'string' }, only: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const standaloneMain = 'dist/apps/standalone/src/main.js';
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const caseTimeoutMs = 90_000;
const demoPorts = /\b(?:4000|4001|4002|4003|4010|4012)\b/g;

process.chdir(root);
if (!existsSync('clients/node_modules/.package-lock.json')) {
  console.log('Installing the clients (first run only) ...');
  await finished(
    spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: 'clients', stdio: 'inherit' }),
  );
}
if (isStale()) {
  await finished(spawn('npm', ['run', 'build'], { stdio: 'inherit' }));
}
const { buildCases, environment } = await import('../clients/cases.mjs');
const { freePort } = await import('../dist/libs/local-servers/src/index.js');

const folder = mkdtempSync(join(tmpdir(), 'behalf-clients-'));
const results = [];
let system;
try {
  system = await startStandalone();
  const cases = buildCases((upstream) => `${system.gateway}/mcp/${upstream}`).filter(
    ({ name }) => !values.only || name.includes(values.only),
  );
  for (const one of cases) {
    report(await runCase(one));
  }
} finally {
  const ending = await system?.stop();
  if (ending) report(ending);
  rmSync(folder, { recursive: true, force: true });
}

function report(result) {
  results.push(result);
  console.log(`${result.passed ? 'pass' : 'FAIL'}  ${result.name.padEnd(52)} ${result.seconds.toFixed(1)} s`);
  if (!result.passed) console.log(indent(result.said));
}

const failed = results.filter(({ passed }) => !passed).length;
console.log(`\n${results.length - failed} of ${results.length} passed`);
if (values.report) {
  mkdirSync(dirname(resolve(values.report)), { recursive: true });
  const summary = { numPassedTests: results.length - failed, numFailedTests: failed, numPendingTests: 0 };
  writeFileSync(values.report, `${JSON.stringify({ ...summary, results }, undefined, 2)}\n`);
}
process.exit(failed > 0 || results.length === 0 ? 1 : 0);

/** Whether what is built is not what is written. */
function isStale() {
  const built = ['dist/apps/standalone/src/main.js', 'dist/deploy/demo/whoami/main.js', 'dist/.tsbuildinfo'];
  if (!built.every((file) => existsSync(file))) return true;
  const builtAtMs = statSync('dist/.tsbuildinfo').mtimeMs;
  const sources = globSync(['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'deploy/**/*.ts']);
  return sources.some((file) => statSync(file).mtimeMs > builtAtMs);
}

/** Starts the system as `npm start` does, with the ports of the demo configuration replaced. */
async function startStandalone() {
  let text = readFileSync('deploy/demo/behalf.yaml', 'utf8');
  const ports = new Map();
  for (const port of new Set(text.match(demoPorts))) {
    ports.set(port, await freePort());
  }
  text = text.replaceAll(demoPorts, (port) => ports.get(port));
  text = text
    .replaceAll('.behalf', join(folder, 'data'))
    .replace(/^dataFolder/m, 'logLevel: warn\ndataFolder');
  const config = join(folder, 'behalf.yaml');
  writeFileSync(config, text);
  mkdirSync(join(folder, 'data', 'files'), { recursive: true });

  const child = spawn(process.execPath, [standaloneMain], {
    env: { ...process.env, BEHALF_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = finished(child, true);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  const gateway = `http://localhost:${ports.get('4003')}`;
  const until = Date.now() + startTimeoutMs;
  while (!(await isReady(gateway))) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the standalone did not start:\n${said}`);
    }
    await new Promise((resume) => setTimeout(resume, 200));
  }
  return {
    gateway,
    stop: async () => {
      const began = performance.now();
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      const code = await ended;
      clearTimeout(timer);
      const seconds = (performance.now() - began) / 1000;
      return {
        name: 'standalone, ended by Ctrl-C',
        passed: code === 0,
        seconds,
        said: `exit ${code}\n${said}`,
      };
    },
  };
}

function isReady(gateway) {
  return fetch(`${gateway}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function runCase({ name, commands, check }) {
  const home = mkdtempSync(join(folder, 'home-'));
  const began = performance.now();
  let printed = { stdout: '', stderr: '', code: 0 };
  for (const command of commands) {
    printed = await run(command, home);
    if (printed.code !== 0) break;
  }
  let passed = false;
  try {
    passed = printed.code === 0 && check(JSON.parse(printed.stdout));
  } catch {
    // What is not JSON is a failure like any other; it is shown below.
  }
  const seconds = (performance.now() - began) / 1000;
  const said = `exit ${printed.code}\n${printed.stdout}\n${printed.stderr}`.slice(-6_000);
  return { name, passed, seconds, ...(!passed && { said }) };
}

async function run(command, home) {
  const child = spawn(process.execPath, command, {
    cwd: home,
    env: environment(home, dirname(process.execPath)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (data) => (output[name] += data));
  const timer = setTimeout(() => child.kill('SIGKILL'), caseTimeoutMs);
  const code = await finished(child, true);
  clearTimeout(timer);
  return { ...output, code };
}

function finished(child, mayFail = false) {
  return new Promise((resolved, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0 || mayFail) resolved(signal ?? code);
      else reject(new Error(`${child.spawnargs.join(' ')} ended with ${signal ?? code}`));
    });
  });
}

function indent(text) {
  return text.replaceAll(/^/gm, '      ');
}
