import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Above all ports that browsers refuse, and below those that the system gives to connections that go out: these come
 * and go at any time.
 */
const firstPort = 11_000;
const endOfPorts = Math.max(firstPort + 1_000, Math.min(32_768, firstOutgoingPort()));
const maxTries = 50;

/** A TCP port that nobody listened on a moment ago. Prefer listening on port 0 wherever the server allows it. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < maxTries; tries++) {
    const port = randomInt(firstPort, endOfPorts);
    if (await isFree(host, port)) return port;
  }
  throw new Error('no free port was found');
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
