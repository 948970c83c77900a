import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receiver that takes what is pushed to it. */
export class ReceivingEndpoint {
  status = 202;
  readonly #got: { headers: Record<string, unknown>; body: string }[] = [];
  #wake: () => void = () => {};

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ReceivingEndpoint> {
    const server = createServer();
    const started = new ReceivingEndpoint(server);
    server.on('request', async (request, response) => {
      const chunks = await request.toArray();
      started.#got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(started.status).end();
      started.#wake();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/events`;
  }

  get waiting(): number {
    return this.#got.length;
  }

  async take(count: number) {
    while (this.#got.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#got.splice(0, count);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
