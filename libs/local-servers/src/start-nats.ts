import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram } from './find-program.js';
import { type LocalServer, serverFolder, startOnPort } from './local-server.js';
import { ServerProcess } from './server-process.js';

/** What streams may reserve, more than they use: without it, three quarters of what is free on the disk. */
const reservedBytes = 4 * 1024 ** 3;

export interface NatsServerOptions {
  /** Where it keeps its streams; a temporary folder without it. */
  folder?: string;
  port?: number;
  /** More of its configuration file, e.g. `authorization { … }`. */
  config?: string;
}

/** A nats-server with JetStream. */
export async function startNats(options: NatsServerOptions = {}): Promise<LocalServer> {
  const { folder, remove } = await serverFolder('nats', options.folder);
  const file = join(folder, 'nats.conf');
  const streams = join(folder, 'streams');
  const { port, process } = await startOnPort(options.port, async (onPort) => {
    await writeFile(
      file,
      `host: 127.0.0.1\nport: ${onPort}\njetstream { store_dir: "${streams}", max_file_store: ${reservedBytes} }\n${options.config ?? ''}\n`,
    );
    const server = new ServerProcess({
      command: requireProgram('nats-server'),
      args: ['-c', file],
      readyLine: /Server is ready/,
    });
    await server.start();
    return server;
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    folder,
    process,
    restartEmpty: async () => {
      await process.kill();
      await rm(streams, { recursive: true, force: true });
      await process.start();
    },
    close: async () => {
      await process.stop();
      await remove();
    },
  };
}
