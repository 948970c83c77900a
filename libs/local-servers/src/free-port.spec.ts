import { createServer } from 'node:net';
import { freePort } from './free-port.js';

it('gives a port to one who asks, and it can be listened on', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await new Promise((resolve) => server.close(resolve));
});

it('gives nobody a port that was given to somebody who does not listen yet', async () => {
  const ports = await Promise.all(Array.from({ length: 400 }, () => freePort()));
  expect(new Set(ports).size).toBe(ports.length);
});
