import { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SessionBinding } from '../enforcement/session-binding.js';
import { McpAnswer } from '../http/mcp-answer.js';
import { relayResponse } from './relay-response.js';
import type { Exchange } from './upstream.js';

/** A client that takes nothing. */
class StuckResponse extends Writable {
  headersSent = false;
  constructor() {
    super({ highWaterMark: 1_000, write: () => {} });
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
    const response = new StuckResponse();
    const upstream = { statusCode: 200, headers: { 'content-type': 'text/event-stream' }, body };
    const relaying = relayResponse(
      upstream as unknown as Dispatcher.ResponseData,
      { era: 'modern', signal: new AbortController().signal } as Exchange,
      new McpAnswer(response as never, 1, true),
      { name: 'x', sessions: new SessionBinding(), logger: undefined as never },
    ).catch(() => {});
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeLessThan(5);
    response.destroy();
    await Promise.race([relaying, new Promise((resolve) => setImmediate(resolve))]);
  });
});
