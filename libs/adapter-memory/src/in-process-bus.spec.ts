import { AsyncLocalStorage } from 'node:async_hooks';
import { inSpan, startTracing } from '@behalf/telemetry';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import { InProcessBus } from './in-process-bus.js';

const echo = { subject: 'behalf.test.text.echo', request: z.string(), reply: z.string() };
const soon = { timeoutMs: 2_000 };

describe('InProcessBus', () => {
  it('refuses more than may be in flight, and counts what a caller no longer waits for', async () => {
    const bus = new InProcessBus({ maxInFlight: 1 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    bus.handle(echo, async (text) => {
      await held;
      return text;
    });
    await expect(bus.request(echo, 'a', { timeoutMs: 1 })).rejects.toMatchObject({ reason: 'timeout' });
    await expect(bus.request(echo, 'b', soon)).rejects.toMatchObject({ reason: 'overloaded' });
    release();
    await bus.close();
  });

  it('refuses an event for a listener that has fallen too far behind', async () => {
    const bus = new InProcessBus({ maxInFlight: 1 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const happened = { type: 'behalf.test.happened', data: z.unknown() };
    const event = { id: '1', type: happened.type, sequence: 1, occurredAtMs: 0, data: 7 };
    bus.subscribe(happened, () => held);
    await bus.publish(happened, event);
    await expect(bus.publish(happened, event)).rejects.toMatchObject({ reason: 'overloaded' });
    release();
    await bus.close();
  });

  it('tells the operator of an event that a listener could not read', async () => {
    const failed: string[] = [];
    const bus = new InProcessBus({ maxInFlight: 1, onListenerError: (type) => failed.push(type) });
    bus.subscribe({ type: 'behalf.test.happened', data: z.string() }, () => {});
    const event = { id: '1', type: 'behalf.test.happened', sequence: 1, occurredAtMs: 0, data: 7 };
    await bus.publish({ type: 'behalf.test.happened', data: z.unknown() }, event);
    await bus.close();
    expect(failed).toEqual(['behalf.test.happened']);
  });

  it('hands nothing of the caller to the handler but the message: not its async context', async () => {
    const bus = new InProcessBus({ maxInFlight: 1 });
    const context = new AsyncLocalStorage<string>();
    bus.handle(echo, async () => context.getStore() ?? 'nothing');
    expect(await context.run("the caller's transaction", () => bus.request(echo, '', soon))).toBe('nothing');
    await bus.close();
  });

  it('carries the trace: caller, request, handler and what the handler does are one', async () => {
    const exporter = new InMemorySpanExporter();
    const tracing = startTracing({
      serviceName: 'test',
      spanProcessor: new SimpleSpanProcessor({ exporter }),
    });
    const bus = new InProcessBus({ maxInFlight: 1 });
    bus.handle(echo, (text) => inSpan('work', {}, async () => text));
    await inSpan('caller', {}, () => bus.request(echo, 'a', soon));
    await bus.close();

    const spans = exporter.getFinishedSpans();
    const parentOf = (name: string): string | undefined => {
      const parent = spans.find((span) => span.name === name)?.parentSpanContext?.spanId;
      return spans.find((span) => span.spanContext().spanId === parent)?.name;
    };
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(parentOf('work')).toBe(`process ${echo.subject}`);
    expect(parentOf(`process ${echo.subject}`)).toBe(`request ${echo.subject}`);
    expect(parentOf(`request ${echo.subject}`)).toBe('caller');
    await tracing.stop();
  });
});
