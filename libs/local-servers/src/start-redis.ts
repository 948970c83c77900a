import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram } from './find-program.js';
import { type LocalServer, serverFolder, startOnPort } from './local-server.js';
import { ServerProcess } from './server-process.js';

export interface RedisServerOptions {
  /** Where it keeps what it writes down; a temporary folder without it. */
  folder?: string;
  port?: number;
  /** More arguments, e.g. `--replicaof 127.0.0.1 6379`. */
  args?: readonly string[];
}

/** A redis-server that writes an append-only file. */
export async function startRedis(options: RedisServerOptions = {}): Promise<LocalServer> {
  const { folder, remove } = await serverFolder('redis', options.folder);
  const { port, process } = await startOnPort(options.port, async (onPort) => {
    const server = new ServerProcess({
      command: requireProgram('redis-server'),
      args: [
        '--bind',
        '127.0.0.1',
        '--port',
        `${onPort}`,
        '--dir',
        folder,
        '--save',
        '',
        '--appendonly',
        'yes',
        '--shutdown-timeout',
        '1',
        ...(options.args ?? []),
      ],
      readyLine: /Ready to accept connections/,
    });
    await server.start();
    return server;
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    process,
    restartEmpty: async () => {
      await process.kill();
      await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
      await process.start();
    },
    close: async () => {
      await process.stop();
      await remove();
    },
  };
}
