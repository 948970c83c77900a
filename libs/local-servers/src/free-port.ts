import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Above all ports that browsers refuse, and below those that the system gives to connections that go out: these come
 * and go at any time.
 */
const firstPort = 11_000;
const endOfPorts = Math.max(firstPort + 1_000, Math.min(32_768, firstOutgoingPort()));
const maxTries = 50;
/** What a server may take until it listens, or listens again. */
const promisedMs = 120_000;
const promises = join(tmpdir(), `behalf-ports-${process.getuid?.() ?? 'all'}`);

/**
 * A TCP port that nobody listens on, and that no process of this user is given here again for two minutes.
 * Prefer listening on port 0 wherever the server allows it.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  mkdirSync(promises, { recursive: true });
  for (let tries = 0; tries < maxTries; tries++) {
    const port = randomInt(firstPort, endOfPorts);
    if (takePromise(port) && (await isFree(host, port))) return port;
  }
  throw new Error('no free port was found');
}

/** False if it is promised to somebody else. Suites run in several processes: a file is what they all see. */
function takePromise(port: number): boolean {
  const file = join(promises, String(port));
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // What has expired is for the next who asks.
  const promised = statSync(file, { throwIfNoEntry: false });
  if (promised && promised.mtimeMs < Date.now() - promisedMs) rmSync(file, { force: true });
  return false;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
  );
  server.listen(port, host, () => server.close(() => resolve(true)));
  return promise;
}

/** Infinite where the system does not say. */
function firstOutgoingPort(): number {
  try {
    return parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return Infinity;
  }
}
