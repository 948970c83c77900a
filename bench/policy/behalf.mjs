// The policy service alone, from dist/, on its embedded storage: every decision is recorded before it is answered.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';
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
  const child = spawn(process.execPath, [...nodeOptions, 'dist/apps/policy/src/main.js'], {
    env: { ...process.env, BEHALF_CONFIG: join(folder, 'behalf.yaml') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let tries = 0; !(await isUp(url)); tries += 1) {
    if (tries > 600 || child.exitCode !== null) throw new Error('the policy service did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    ...costOf(child.pid),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const isUp = (url) =>
  fetch(`${url}/.well-known/authzen-configuration`).then(
    ({ ok }) => ok,
    () => false,
  );
