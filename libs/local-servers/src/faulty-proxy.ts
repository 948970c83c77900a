import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** A way to a server that can be made slow, cut, or led to another server, while the address stays the same. */
export class FaultyProxy {
  /** Each piece of data waits so long, in both directions. */
  delayMs = 0;
  /** New connections are reset at once. */
  refuses = false;
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  private constructor(private targetPort: number) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(targetPort: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(targetPort);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The URL of the server behind, with this way to it. */
  via(url: string): string {
    return url.replace(/:\d+(?=\/|$)/, `:${this.port}`);
  }

  /** Ends every connection as when a cable is pulled and the other side has noticed. */
  reset(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  /** Later connections go to another server; those that are open are reset. */
  leadTo(port: number): void {
    this.targetPort = port;
    this.reset();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #join(client: Socket): void {
    if (this.refuses) return void client.resetAndDestroy();
    const server = connect(this.targetPort, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(from);
      from.setNoDelay(true);
      from.on('data', (data) => this.#pass(to, () => to.write(data)));
      from.on('end', () => this.#pass(to, () => to.end()));
      from.on('error', () => to.resetAndDestroy());
      from.on('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
    }
  }

  /** Timers of one length end in the order they were begun, so nothing overtakes. */
  #pass(to: Socket, write: () => void): void {
    const writeIfOpen = (): void => {
      if (!to.destroyed) write();
    };
    if (this.delayMs === 0) writeIfOpen();
    else setTimeout(writeIfOpen, this.delayMs);
  }
}
