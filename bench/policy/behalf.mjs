// The policy service alone, from dist/, on its embedded storage: every decision is recorded before it is answered.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dist/libs/local-servers/src/index.js';
import { costOf } from './process-cost.mjs';
import { schema, toCedar } from './workload.mjs';

export async function startBehalf({ rules }, nodeOptions = [], settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-policy-'));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies/bench.cedar'), rules.map(toCedar).join('\n'));
  writeFileSync(join(folder, 'policies/schema.cedarschema'), schema);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = {
    logLevel: 'error',
    dataFolder: join(folder, 'data'),
    authorizationServer: { issuer: 'http://localhost:4000', signIn: { method: 'local', users: [] } },
    policy: {
      listen: { port },
      publicUrl: url,
      policies: join(folder, 'policies'),
      allowUnauthenticatedLoopback: true,
      ...settings,
    },
    gateway: { clientId: 'demo-gateway', upstreams: {} },
  };
  writeFileSync(join(folder, 'behalf.yaml'), JSON.stringify(config));
  const start = async () => {
    const started = spawn(process.execPath, [...nodeOptions, 'dist/apps/policy/src/main.js'], {
      env: { ...process.env, BEHALF_CONFIG: join(folder, 'behalf.yaml') },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    for (let tries = 0; !(await isUp(url)); tries += 1) {
      if (tries > 600 || started.exitCode !== null) throw new Error('the policy service did not start');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return started;
  };
  // The first start makes the database, and keeps the memory that this takes. It is told, and is not what is measured.
  const first = await start();
  const firstMemory = costOf(first.pid).memory();
  await end(first);
  const child = await start();
  return {
    url,
    ...costOf(child.pid),
    /** MiB after the first start of all, and after this one. */
    memoryAtRest: { first: firstMemory, later: costOf(child.pid).memory() },
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function end(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

const isUp = (url) =>
  fetch(`${url}/.well-known/authzen-configuration`).then(
    ({ ok }) => ok,
    () => false,
  );
