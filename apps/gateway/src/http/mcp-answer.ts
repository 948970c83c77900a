import { type Json, McpError, type RequestId, errorResponse } from '@behalf/mcp';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const keepAliveMs = 15_000;
const maxBacklogBytes = 1024 * 1024;

/**
 * The answer to one POST. It is JSON as long as nothing but the response has to be said, and becomes an event stream
 * with the first notification, or when the silence grows so long that something between us and the client might give
 * up, provided the client reads streams.
 */
export class McpAnswer {
  #keepAlive: NodeJS.Timeout | undefined;
  #streaming = false;

  constructor(
    readonly response: ServerResponse,
    private readonly id: RequestId | null,
    private readonly acceptsStream: boolean,
  ) {
    response.once('close', () => clearInterval(this.#keepAlive));
    if (acceptsStream && id !== null)
      this.#keepAlive = setInterval(() => this.#sendKeepAlive(), keepAliveMs).unref();
  }

  /** Whether an event stream has begun: from then on a status can no longer be told. */
  get streaming(): boolean {
    return this.#streaming;
  }

  /** Whether the client reads event streams: only then can it be asked anything on the way. */
  get canStream(): boolean {
    return this.acceptsStream && this.id !== null;
  }

  /** Whether anything has left. */
  get begun(): boolean {
    return this.response.headersSent;
  }

  /** Opens the event stream. Nothing between us and the client may buffer it. */
  startStream(headers: Record<string, string> = {}): void {
    if (this.response.headersSent || this.response.destroyed) return;
    this.#streaming = true;
    this.response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      ...headers,
    });
    this.response.flushHeaders();
    this.#keepAlive ??= setInterval(() => this.#sendKeepAlive(), keepAliveMs).unref();
  }

  /** Sends one notification; dropped when the client reads no streams. */
  notify(message: Json): void {
    if (!this.acceptsStream) return;
    this.startStream();
    // Nobody waits for a notification, so a client that does not read does not make us keep them.
    if (this.response.writableLength < maxBacklogBytes) this.#write(eventOf(message));
  }

  /** Writes a whole event of a relayed stream and waits until the client has taken it. */
  async writeEvent(event: string): Promise<void> {
    if (this.response.destroyed || this.response.write(event)) return;
    // The listener of whichever does not happen goes too: a long stream to a slow client waits often.
    const waited = new AbortController();
    const either = ['drain', 'close'].map((name) => once(this.response, name, { signal: waited.signal }));
    try {
      await Promise.race(either);
    } finally {
      void Promise.allSettled(either);
      waited.abort();
    }
  }

  respond(result: Json): void {
    this.#finish({ jsonrpc: '2.0', id: this.id, result }, 200);
  }

  fail(error: McpError): void {
    if (!this.response.headersSent && error.retryAfterSeconds !== undefined)
      this.response.setHeader('Retry-After', String(error.retryAfterSeconds));
    this.#finish({ ...errorResponse(error, this.id) }, error.status);
  }

  /** The answer to notifications and responses. */
  accepted(): void {
    this.response.writeHead(202, { 'Cache-Control': 'no-store' }).end();
  }

  /** Ends with a whole JSON-RPC message of somebody else. */
  finishWith(message: Json, headers: Record<string, string> = {}): void {
    if (!this.response.headersSent)
      for (const [name, value] of Object.entries(headers)) this.response.setHeader(name, value);
    this.#finish(message, 200);
  }

  end(): void {
    clearInterval(this.#keepAlive);
    this.response.end();
  }

  #finish(message: Json, status: number): void {
    clearInterval(this.#keepAlive);
    if (this.response.destroyed || this.response.writableEnded) return;
    if (this.response.headersSent) {
      this.response.end(eventOf(message));
      return;
    }
    this.response
      .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
      .end(JSON.stringify(message));
  }

  #sendKeepAlive(): void {
    this.startStream();
    // Another kind of answer may be on its way; nothing may get between its bytes.
    if (this.#streaming) this.#write(': keep-alive\n\n');
  }

  #write(text: string): void {
    if (!this.response.destroyed && !this.response.writableEnded) this.response.write(text);
  }
}

function eventOf(message: Json): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
