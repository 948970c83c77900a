// A real Cerbos server, installed when first wanted, outside this repository.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dist/libs/local-servers/src/index.js';
import { costOf } from './process-cost.mjs';
import { toCerbos } from './workload.mjs';

const version = '0.55.0';
const home = join(tmpdir(), `behalf-bench-cerbos-${version}`);
const binary = join(home, 'node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64');

function install() {
  if (existsSync(binary)) return;
  mkdirSync(home, { recursive: true });
  const { status } = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      home,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `@cerbos/cerbos-linux-x64@${version}`,
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0 || !existsSync(binary)) throw new Error('Cerbos could not be installed');
}

/**
 * Serves the rules over AuthZEN, and logs errors only. As it comes it keeps no record of decisions, which is its
 * quickest; with `keepsDecisions` it writes them to a file, some time after they were answered.
 */
export async function startCerbos({ rules }, { keepsDecisions = false } = {}) {
  install();
  const folder = mkdtempSync(join(tmpdir(), 'behalf-bench-cerbos-'));
  mkdirSync(join(folder, 'policies'));
  for (const [server, own] of Map.groupBy(rules, (rule) => rule.server)) {
    // JSON is YAML.
    writeFileSync(join(folder, 'policies', `${server}.yaml`), JSON.stringify(toCerbos(server, own)));
  }
  const [http, grpc] = [await freePort(), await freePort()];
  const config = {
    server: {
      httpListenAddr: `127.0.0.1:${http}`,
      grpcListenAddr: `127.0.0.1:${grpc}`,
      // The most that it takes.
      requestLimits: { maxActionsPerResource: 500, maxResourcesPerRequest: 500 },
    },
    telemetry: { disabled: true },
    ...(keepsDecisions && {
      audit: {
        enabled: true,
        accessLogsEnabled: false,
        decisionLogsEnabled: true,
        backend: 'file',
        file: { path: join(folder, 'decisions.log') },
      },
    }),
    storage: { driver: 'disk', disk: { directory: join(folder, 'policies'), watchForChanges: false } },
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const child = spawn(binary, ['server', `--config=${join(folder, 'config.yaml')}`, '--log-level=error'], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${http}`;
  for (let tries = 0; !(await isUp(url)); tries += 1) {
    if (tries > 600 || child.exitCode !== null) throw new Error('Cerbos did not start');
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
  fetch(`${url}/_cerbos/health`).then(
    ({ ok }) => ok,
    () => false,
  );
