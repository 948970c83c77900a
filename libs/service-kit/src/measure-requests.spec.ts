import { InProcessBus } from '@behalf/adapter-memory';
import { evaluatePolicy } from '@behalf/contracts';
import { startMetrics } from '@behalf/telemetry';
import { freePort } from '@behalf/testing';
import express from 'express';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { allowedBus } from './allowed-bus.js';
import { measureRequests } from './measure-requests.js';

let measuring: Awaited<ReturnType<typeof startMetrics>>;
let server: Server;
let scrape: () => Promise<string>;
beforeAll(async () => {
  const port = await freePort();
  measuring = await startMetrics({ serviceName: 'policy', host: '127.0.0.1', port });
  scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const app = express().use(measureRequests('policy'));
  app.get('/things/:id', (_request, response) => void response.json({}));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await measuring.stop();
});

const get = async (path: string): Promise<void> => {
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)).text();
};

it('counts requests by route, method and status, in buckets that tell milliseconds apart', async () => {
  await get('/things/1');
  await get('/things/2');
  const read = await scrape();
  expect(read).toMatch(
    /http_server_request_duration_count\{[^}]*service_name="policy"[^}]*http_request_method="GET"[^}]*http_response_status_code="200"[^}]*http_route="\/things\/:id"[^}]*\} 2/,
  );
  expect(read).toContain('le="0.001"');
});

it('tells no path that no route has a pattern for', async () => {
  await get('/secret-of-a-caller');
  const read = await scrape();
  expect(read).toMatch(/_count\{[^}]*http_response_status_code="404"[^}]*\} 1/);
  expect(read).not.toContain('secret');
});

it('counts requests on the bus by subject, side and outcome', async () => {
  const bus = allowedBus('gateway', new InProcessBus({ maxInFlight: 1 }));
  await expect(bus.request(evaluatePolicy, {} as never, { timeoutMs: 1_000 })).rejects.toThrow();
  expect(await scrape()).toMatch(
    new RegExp(
      `behalf_bus_request_duration_count\\{[^}]*service_name="gateway"[^}]*side="ask"[^}]*subject="${evaluatePolicy.subject}"[^}]*outcome="no_responders"[^}]*\\} 1`,
    ),
  );
  await bus.close();
});
