import { type Tracing, startTracing } from '@behalf/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import express from 'express';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { traceRequests } from './trace-requests.js';

const exporter = new InMemorySpanExporter();
let tracing: Tracing;
let server: Server;
beforeAll(async () => {
  tracing = startTracing({ serviceName: 'test', spanProcessor: new SimpleSpanProcessor({ exporter }) });
  const app = express().use(traceRequests);
  app.all('/forward/:connection/*rest', (_request, response) => void response.status(202).end());
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await tracing.stop();
});

it('attack: no path that a caller makes up reaches the collector, only routes and methods do', async () => {
  const { port } = server.address() as AddressInfo;
  for (const path of ['/forward/connection-of-alice/mail/secret-subject?code=secret', '/secret/path'])
    await (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' })).text();
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name, kind, attributes }) => ({ name, kind, attributes }))).toEqual([
    {
      name: 'POST /forward/:connection/*rest',
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': 'POST',
        'http.response.status_code': 202,
        'http.route': '/forward/:connection/*rest',
      },
    },
    {
      name: 'POST',
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': 'POST', 'http.response.status_code': 404 },
    },
  ]);
});
