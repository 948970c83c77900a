import { startTracing } from '@behalf/telemetry';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('the trace of a call', () => {
  const exporter = new InMemorySpanExporter();
  let upstream: RecordingUpstream;
  let gateway: TestGateway;

  beforeAll(async () => {
    startTracing({ serviceName: 'test', spanProcessor: new SimpleSpanProcessor({ exporter }) });
    upstream = await startRecordingUpstream();
    gateway = await startTestGateway({ upstreams: { tools: { transport: 'http', url: upstream.url } } });
  });
  afterAll(async () => {
    await gateway.close();
    upstream.close();
  });

  it('goes from the caller’s _meta through policy and exchange to the upstream', async () => {
    const token = await gateway.tokenFor('tools', {
      txn: 'txn-1',
      // The earlier one is another issuer's, and has the name of one of ours.
      act: { sub: 'agent', client_id: 'agent', act: { sub: 'agent', iss: 'https://idp.example' } },
    });
    const params = {
      name: 'allowed',
      arguments: { secret: 'argument' },
      _meta: { traceparent, baggage: 'user=alice' },
    };
    await (await fetch(`${gateway.url}/mcp/tools`, modernRequest('tools/call', params, { token }))).text();

    const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
    const server = spans.find(
      ({ name, parentSpanContext }) =>
        name === 'tools/call allowed' && parentSpanContext?.spanId === 'b7ad6b7169203331',
    );
    // To the span of the HTTP request, and to the exchange whose token asked the upstream for its era.
    expect(server?.links.map(({ context }) => context.traceId === traceId)).toEqual([false, true]);
    expect(server?.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'allowed',
      'behalf.decision.id': 'decision-0',
      'behalf.actor.chain': ['agent', 'https://idp.example#agent'],
      'behalf.txn': 'txn-1',
    });
    const client = spans.find(
      ({ name, parentSpanContext }) =>
        name === 'tools/call allowed' && parentSpanContext?.spanId === server?.spanContext().spanId,
    );
    // The use of the token leads to where it came from.
    const exchanged = spans.find(({ name }) => name === 'token exchange');
    expect(client?.links.map(({ context }) => context.spanId)).toEqual([exchanged?.spanContext().spanId]);

    // The upstream is pointed to our span, by header and by _meta alike, and gets no baggage of strangers.
    const seen = upstream.seen.at(-1)!;
    const passed = `00-${traceId}-${client?.spanContext().spanId}-01`;
    expect(seen.headers['traceparent']).toBe(passed);
    expect(seen.message['params']._meta.traceparent).toBe(passed);
    expect(JSON.stringify([seen.headers, seen.message])).not.toContain('user=alice');
    expect(JSON.stringify(spans.map(({ attributes, events }) => [attributes, events]))).not.toMatch(
      /argument|ey[JK]/,
    );
  });
});
