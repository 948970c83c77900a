import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireProgram } from './find-program.js';
import { type LocalServer, serverFolder, startOnPort } from './local-server.js';
import { ServerProcess } from './server-process.js';

const user = 'behalf';

export interface PostgresServerOptions {
  /** Where its data is; a temporary folder without it. */
  folder?: string;
  port?: number;
  /** Settings, e.g. `max_connections=20`. */
  settings?: readonly string[];
}

/**
 * A PostgreSQL server with a password made at its first start. A crash of the process loses nothing that was
 * committed; one of the machine may, because nothing is forced to disk.
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<LocalServer> {
  const owner = unprivilegedUser();
  const { folder, remove } = await serverFolder('postgres', options.folder, owner);
  const data = join(folder, 'data');
  const password = await passwordOf(folder, owner);
  const initialise = async (): Promise<void> => {
    await promisify(execFile)(
      requireProgram('initdb'),
      [
        '--pgdata',
        data,
        '--username',
        user,
        '--auth',
        'scram-sha-256',
        '--encoding',
        'UTF8',
        '--pwfile',
        passwordFile(folder),
        '--no-sync',
        '--locale',
        'C',
      ],
      { ...owner },
    );
  };
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise();
  const { port, process } = await startOnPort(options.port, async (onPort) => {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${onPort}`,
      'unix_socket_directories=',
      'fsync=off',
      'full_page_writes=off',
      ...(options.settings ?? []),
    ];
    const server = new ServerProcess({
      command: requireProgram('postgres'),
      args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      readyLine: /ready to accept connections/,
      // SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      user: owner,
    });
    await server.start();
    return server;
  });
  return {
    url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
    port,
    folder,
    process,
    restartEmpty: async () => {
      await process.kill();
      await rm(data, { recursive: true, force: true });
      await initialise();
      await process.start();
    },
    close: async () => {
      await process.stop();
      await remove();
    },
  };
}

function passwordFile(folder: string): string {
  return join(folder, 'password');
}

async function passwordOf(folder: string, owner?: { uid: number; gid: number }): Promise<string> {
  const file = passwordFile(folder);
  if (existsSync(file)) return readFile(file, 'utf8');
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  if (owner) await chown(file, owner.uid, owner.gid);
  return password;
}

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
