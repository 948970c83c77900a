import { InProcessBus } from '@behalf/adapter-memory';
import { evaluatePolicy, listRevocations, requestAccess } from '@behalf/contracts';
import { type Bus, BusError } from '@behalf/ports';
import { startMetrics } from '@behalf/telemetry';
import { type Sample, freePort, readMetrics, sumOf } from '@behalf/testing';
import express from 'express';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { allowedBus } from './allowed-bus.js';
import { measureRequests } from './measure-requests.js';

const slowSeconds = 0.06;

let measuring: Awaited<ReturnType<typeof startMetrics>>;
let server: Server;
let scrape: () => Promise<Sample[]>;
beforeAll(async () => {
  const port = await freePort();
  measuring = await startMetrics({ serviceName: 'policy', host: '127.0.0.1', port });
  scrape = () => readMetrics(port);
  const app = express().use(measureRequests('policy'));
  app.get('/things/:id', (_request, response) => void response.json({}));
  app.post('/things/:id', (_request, response) => void response.status(201).json({}));
  app.get('/broken', (_request, response) => void response.status(500).end());
  app.get('/slow', async (_request, response) => {
    await setTimeout(slowSeconds * 1000);
    response.end();
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await measuring.stop();
});

const get = async (path: string, method = 'GET'): Promise<void> => {
  const { port } = server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}${path}`, { method })).text();
};

describe('requests over HTTP', () => {
  const duration = 'http_server_request_duration';
  /** Of all that was counted, how often with these labels; no others may be there. */
  const counted = async (): Promise<[string, string | undefined, string, number][]> => {
    const counts = (await scrape()).filter(({ name }) => name === `${duration}_count`);
    return counts.map(({ labels, value }) => {
      const {
        http_request_method: method = '',
        http_route: route,
        http_response_status_code: status = '',
        service_name: service,
        ...more
      } = labels;
      expect([service, more]).toEqual(['policy', {}]);
      return [method, route, status, value];
    });
  };

  it('are counted by route, method and status; paths that no route has a pattern for are not told', async () => {
    await get('/things/1');
    await get('/things/2');
    await get('/things/2', 'POST');
    await get('/broken');
    await get('/secret-of-a-caller');
    await get('/another-secret');
    const found = await counted();
    expect(found).toHaveLength(4);
    expect(found).toEqual(
      expect.arrayContaining([
        ['GET', '/things/:id', '200', 2],
        ['POST', '/things/:id', '201', 1],
        ['GET', '/broken', '500', 1],
        ['GET', undefined, '404', 2],
      ]),
    );
  });

  it('are timed in seconds, from their beginning to their end, in buckets that tell milliseconds apart', async () => {
    await get('/slow');
    const samples = await scrape();
    const slow = { http_route: '/slow' };
    const seconds = sumOf(samples, `${duration}_sum`, slow);
    expect(seconds).toBeGreaterThan(slowSeconds * 0.9);
    expect(seconds).toBeLessThan(slowSeconds * 500);
    expect(sumOf(samples, `${duration}_bucket`, { ...slow, le: '0.05' })).toBe(0);
    expect(sumOf(samples, `${duration}_bucket`, { ...slow, le: '+Inf' })).toBe(1);
    expect(sumOf(samples, `${duration}_bucket`, { http_route: '/things/:id', le: '0.001' })).toBeDefined();
  });
});

describe('requests on the bus', () => {
  const duration = 'behalf_bus_request_duration';
  /** How often each, by what tells them apart. */
  const counted = async (): Promise<Record<string, number>> => {
    const counts = (await scrape()).filter(({ name }) => name === `${duration}_count`);
    return Object.fromEntries(
      counts.map(({ labels: { service_name: service, side, subject, outcome, ...more }, value }) => {
        expect(more).toEqual({});
        return [[service, side, subject, outcome].join(' '), value];
      }),
    );
  };

  it('are counted by service, side, subject and outcome, and timed in seconds', async () => {
    const inner = new InProcessBus({ maxInFlight: 10 });
    const gateway = allowedBus('gateway', inner);
    const authorizationServer = allowedBus('authorization-server', inner);
    const within = { timeoutMs: 5_000 };
    const ask = (): Promise<unknown> => gateway.request(listRevocations, {}, within);

    await expect(ask()).rejects.toMatchObject({ reason: 'no_responders' });
    const page = { revocations: [], cursor: '0', more: false };
    const answer = { fails: false };
    authorizationServer.handle(listRevocations, async () => {
      await setTimeout(slowSeconds * 1000);
      if (answer.fails) throw new Error('cannot');
      return page;
    });
    for (let n = 0; n < 3; n++) await ask();
    answer.fails = true;
    await expect(ask()).rejects.toBeInstanceOf(BusError);
    // Of what the bus itself does not do here: each reason stays apart.
    const failing = (reason: BusError['reason']): Bus =>
      Object.assign(new InProcessBus({ maxInFlight: 1 }), {
        request: async ({ subject }: { subject: string }) => {
          throw new BusError(reason, subject);
        },
      });
    for (const reason of ['timeout', 'overloaded', 'timeout'] as const)
      await expect(
        allowedBus('gateway', failing(reason)).request(evaluatePolicy, {} as never, within),
      ).rejects.toMatchObject({ reason });
    // What a service may not do is not a request.
    await expect(authorizationServer.request(requestAccess, {} as never, within)).rejects.toThrow('may not');

    const [asked, answered] = ['gateway ask', 'authorization-server answer'];
    expect(await counted()).toEqual({
      [`${asked} ${listRevocations.subject} no_responders`]: 1,
      [`${asked} ${listRevocations.subject} ok`]: 3,
      [`${asked} ${listRevocations.subject} refused`]: 1,
      [`${answered} ${listRevocations.subject} ok`]: 3,
      [`${answered} ${listRevocations.subject} failed`]: 1,
      [`${asked} ${evaluatePolicy.subject} timeout`]: 2,
      [`${asked} ${evaluatePolicy.subject} overloaded`]: 1,
    });
    for (const side of ['ask', 'answer']) {
      const seconds = sumOf(await scrape(), `${duration}_sum`, { side, outcome: 'ok' });
      expect(seconds).toBeGreaterThan(3 * slowSeconds * 0.9);
      expect(seconds).toBeLessThan(3 * slowSeconds * 500);
    }
    await inner.close();
  });
});
