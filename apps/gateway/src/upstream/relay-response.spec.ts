import { Readable, Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SessionBinding } from '../enforcement/session-binding.js';
import { McpAnswer } from '../http/mcp-answer.js';
import { relayResponse } from './relay-response.js';
import type { Exchange } from './upstream.js';

/** A client that takes nothing, or what a test lets it take. */
class FakeResponse extends Writable {
  headersSent = false;
  constructor(write: (chunk: unknown, encoding: string, taken: () => void) => void = () => {}) {
    super({ highWaterMark: 1_000, write });
  }
  writeHead(): this {
    this.headersSent = true;
    return this;
  }
  flushHeaders(): void {}
}

describe('relayResponse', () => {
  it('stops reading from the upstream while the client does not take what it has', async () => {
    let pulled = 0;
    async function* events(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pulled += 1;
        yield Buffer.from(`data: ${'x'.repeat(600)}\n\n`);
      }
    }
    const body = Object.assign(events(), { on: () => body, destroy: () => body });
    const response = new FakeResponse();
    const upstream = { statusCode: 200, headers: { 'content-type': 'text/event-stream' }, body };
    const relaying = relayResponse(
      upstream as unknown as Dispatcher.ResponseData,
      { era: 'modern', signal: new AbortController().signal } as Exchange,
      new McpAnswer(response as never, 1, true),
      { name: 'x', sessions: new SessionBinding(() => [new Uint8Array(32)]), logger: undefined as never },
    ).catch(() => {});
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeLessThan(5);
    response.destroy();
    await Promise.race([relaying, new Promise((resolve) => setImmediate(resolve))]);
  });

  it('leaves no listeners behind, however often a stream waits for its client', async () => {
    const response = new FakeResponse((_chunk, _encoding, taken) => void setImmediate(taken));
    const answer = new McpAnswer(response as never, 1, true);
    answer.startStream();
    const before = response.listenerCount('close');
    for (let event = 0; event < 20; event++) await answer.writeEvent(`data: ${'x'.repeat(2_000)}\n\n`);
    expect(response.listenerCount('close')).toBe(before);
    expect(response.listenerCount('drain')).toBe(0);
    answer.end();
  });

  it('may have as many listeners to its end as there are while it is traced, measured and piped', async () => {
    const response = new FakeResponse();
    for (const by of ['trace', 'measure', 'router', 'endpoint', 'server']) response.once('close', () => by);
    const upstream = {
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: Readable.from(['{"jsonrpc":"2.0","id":1,"result":{}}']),
    };
    const relaying = relayResponse(
      upstream as unknown as Dispatcher.ResponseData,
      {
        era: 'modern',
        signal: new AbortController().signal,
        redact: [],
        method: { decidedOn: 'tool' },
        message: { kind: 'request' },
      } as unknown as Exchange,
      new McpAnswer(response as never, 1, false),
      { name: 'x', sessions: new SessionBinding(() => [new Uint8Array(32)]), logger: undefined as never },
    ).catch(() => {});
    expect(response.listenerCount('close')).toBeGreaterThan(10);
    expect(response.listenerCount('close')).toBeLessThanOrEqual(response.getMaxListeners());
    response.destroy();
    await relaying;
  });
});
