import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Debian package of each program. */
const packages = { nginx: 'nginx-light', caddy: 'caddy' } as const;
export type Program = keyof typeof packages;

/**
 * Makes a program available: installs what is missing where that is possible, without starting the service that comes
 * with it.
 *
 * @returns false where it can be neither found nor installed: not root, and not there. In CI that is an error.
 */
export function provideProgram(program: Program): boolean {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  const isThere = (): boolean => {
    try {
      execFileSync(program, program === 'nginx' ? ['-v'] : ['version'], { stdio: 'ignore', env });
      return true;
    } catch {
      return false;
    }
  };
  if (isThere()) return true;
  if (process.getuid?.() === 0) {
    const quiet = {
      stdio: 'ignore',
      // At run level 1 a package's scripts start no services.
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    } as const;
    execFileSync('apt-get', ['update'], quiet);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', packages[program]], quiet);
  }
  if (isThere()) return true;
  const advice = `run "apt-get install ${packages[program]}" as root to test with ${program}`;
  if (process.env['CI']) throw new Error(advice);
  console.warn(advice);
  return false;
}

/** Runs a proxy of our own on a port that it listens on, until it is closed. */
export async function startProxy(program: Program, port: number, config: (folder: string) => string) {
  const folder = await mkdtemp(join(tmpdir(), `behalf-${program}-`));
  const file = join(folder, program === 'nginx' ? 'nginx.conf' : 'Caddyfile');
  await writeFile(file, config(folder));
  const args =
    program === 'nginx'
      ? ['-p', folder, '-c', file, '-e', join(folder, 'error.log')]
      : ['run', '--config', file, '--adapter', 'caddyfile'];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: `${process.env['PATH']}:/usr/sbin`,
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
    },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk));
  await listening(child, port, () => said);
  return {
    url: `http://127.0.0.1:${port}`,
    async close(): Promise<void> {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess, port: number, said: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the proxy ended: ${said()}`);
    const connected = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      });
      socket.once('error', () => setTimeout(done, 50, false));
    });
    if (connected) return;
  }
}
