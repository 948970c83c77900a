import { once } from 'node:events';
import { type AddressInfo, type Server, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { freePort } from '@behalf/testing';
import { TcpBalancer } from './tcp-balancer.js';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** Answers with its name and what it was told, once it was told all. */
async function replica(name: string): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.end(`${name} heard ${await text(socket)}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  opened.push(server);
  return (server.address() as AddressInfo).port;
}

async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end('all');
  return text(socket);
}

it('gives connections to one replica after the other, and answers to who has said all', async () => {
  const port = await freePort();
  opened.push(await TcpBalancer.open(port, [await replica('one'), await replica('two')]));
  const answers = [await ask(port), await ask(port), await ask(port)];
  expect(answers).toEqual(['one heard all', 'two heard all', 'one heard all']);
});

it('passes over a replica that takes no connections', async () => {
  const port = await freePort();
  opened.push(await TcpBalancer.open(port, [await freePort(), await replica('other')]));
  expect([await ask(port), await ask(port)]).toEqual(['other heard all', 'other heard all']);
});

it('finds the one that takes connections for everybody who asks at once', async () => {
  const port = await freePort();
  opened.push(await TcpBalancer.open(port, [await freePort(), await replica('other')]));
  const asked = await Promise.all(Array.from({ length: 20 }, () => ask(port)));
  expect(asked).toEqual(asked.map(() => 'other heard all'));
});
