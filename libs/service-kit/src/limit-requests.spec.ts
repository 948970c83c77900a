import { checkDeadline, extendDeadline } from '@behalf/ports';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { limitRequests } from './limit-requests.js';

type Serve = (request: IncomingMessage, response: ServerResponse) => unknown;
let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function serve(timeoutMs: number, work: Serve): Promise<() => Promise<Response>> {
  const limit = limitRequests(timeoutMs);
  server = createServer((request, response) => {
    limit(request as never, response as never, () => void work(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return () => fetch(url);
}
const told = (response: Response) => [response.status, response.headers.get('retry-after')];

describe('a request that takes too long', () => {
  it('is refused at its next step, in the words of its edge', async () => {
    const ask = await serve(20, async (_request, response) => {
      try {
        for (;;) {
          checkDeadline();
          await setTimeout(5);
        }
      } catch (error) {
        response.writeHead(503, { 'Retry-After': '9' }).end((error as Error).message);
      }
    });
    expect(told(await ask())).toEqual([503, '9']);
  });

  it('is refused at the edge where it waits for what never comes, and does no harm when it goes on', async () => {
    const late = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const after = Promise.withResolvers<unknown>();
    const ask = await serve(20, async (_request, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.once('close', () => closed.resolve());
      await late.promise;
      try {
        checkDeadline();
        after.resolve('went on');
      } catch (error) {
        after.resolve(error);
        response.writeHead(200).end('too late');
      }
    });
    const answer = await ask();
    expect(told(answer)).toEqual([503, '1']);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
    await closed.promise;
    late.resolve();
    expect(await after.promise).toMatchObject({ code: 'temporarily_unavailable' });
  });

  it('is answered when it waits for somebody on purpose, or its answer has begun', async () => {
    const ask = await serve(10, async (_request, response) => {
      extendDeadline(60_000);
      await setTimeout(1_600);
      response.writeHead(200);
      response.write('begun, ');
      await setTimeout(50);
      response.end('done');
    });
    expect(await (await ask()).text()).toBe('begun, done');
    await new Promise((resolve) => server.close(resolve));
    const stream = await serve(10, async (_request, response) => {
      response.writeHead(200);
      response.write('begun, ');
      await setTimeout(1_700);
      response.end('done');
    });
    expect(await (await stream()).text()).toBe('begun, done');
  });

  it('holds nothing back when its caller has been answered', async () => {
    const outlived = Promise.withResolvers<void>();
    const ask = await serve(10, async (_request, response) => {
      response.end('answered');
      await setTimeout(50);
      checkDeadline();
      outlived.resolve();
    });
    expect((await ask()).status).toBe(200);
    await outlived.promise;
  });
});
