import { connect } from 'node:net';

/** Waits until something listens at the URL's host and port, or the time is over. */
export async function reachable(url: string, withinMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (await listens(hostname.replace(/^\[|\]$/g, ''), Number(port) || (protocol === 'https:' ? 443 : 80)))
      return true;
    await new Promise((resolve) => setTimeout(resolve, 100).unref());
  }
  return false;
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
