import { ServerProcess, requireProgram } from '@behalf/local-servers';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Proxy = 'nginx' | 'caddy';

/** What a proxy says once it listens. nginx must be told to say it: `error_log stderr notice;` */
const readyLines = { nginx: /start worker process/, caddy: /serving initial configuration/ };

/** Runs a proxy of our own on the port that its configuration names, until it is closed. */
export async function startProxy(program: Proxy, port: number, config: string) {
  const folder = await mkdtemp(join(tmpdir(), `behalf-${program}-`));
  const file = join(folder, program === 'nginx' ? 'nginx.conf' : 'Caddyfile');
  await writeFile(file, config);
  const server = new ServerProcess({
    command: requireProgram(program),
    args:
      program === 'nginx'
        ? ['-p', folder, '-c', file, '-e', 'stderr']
        : ['run', '--config', file, '--adapter', 'caddyfile'],
    env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    readyLine: readyLines[program],
  });
  await server.start();
  return {
    url: `http://127.0.0.1:${port}`,
    async close(): Promise<void> {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
