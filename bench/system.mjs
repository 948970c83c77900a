// Starts the whole system from dist/ as a process of its own, on free ports and in a folder of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../dist/libs/local-servers/src/index.js';
import { costOf } from './policy/process-cost.mjs';

const demoPorts = ['4000', '4001', '4002', '4003', '4010', '4011', '4012', '4020', '4030'];

/** The demo's YAML with every port moved. */
export async function movedConfig(folder) {
  let text = readFileSync('deploy/demo/behalf.yaml', 'utf8');
  const moved = {};
  for (const port of demoPorts) moved[port] = String(await freePort());
  // All at once: a port that was moved may look like one that is to be.
  text = text.replace(new RegExp(`\\b(${demoPorts.join('|')})\\b`, 'g'), (port) => moved[port]);
  text = text.replaceAll('.behalf', folder).replace(/^dataFolder.*$/m, (line) => `${line}\nlogLevel: error`);
  const file = join(folder, 'behalf.yaml');
  writeFileSync(file, text);
  return { file, url: (port) => `http://localhost:${moved[port]}` };
}

/** @param prepare given the data folder before anything is started on it; what it returns is `prepared` */
export function startSystem(prepare = async () => undefined) {
  return start('dist/apps/standalone/src/main.js', {}, prepare);
}

/** Each service as processes of its own, so many of each, on PostgreSQL, Redis and NATS that are started with them. */
export function startFleet(replicas) {
  return start('dist/deploy/fleet/main.js', { BEHALF_REPLICAS: String(replicas) });
}

async function start(program, environment, prepare = async () => undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-'));
  const { file, url } = await movedConfig(folder);
  const prepared = await prepare(folder);
  // e.g. BENCH_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profile' for a profile of the system under load.
  const nodeOptions = (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
  const child = spawn(process.execPath, [...nodeOptions, program], {
    env: { ...process.env, BEHALF_CONFIG: file, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the system ended with ${code}`)));
    child.stdout.on('data', (chunk) => String(chunk).includes('Behalf is ready') && resolve());
  });
  return {
    url,
    prepared,
    ...costOf(child.pid),
    async stop() {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
