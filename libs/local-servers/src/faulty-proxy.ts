import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** What a way to a server does to what is sent on it. */
export const faults = ['slow', 'resetting', 'silent', 'rubbish'] as const;
export type Fault = (typeof faults)[number];

const slowMs = 300;
const resetEveryBytes = 2_000;
/** An answer in no protocol: no line ends, no lengths that fit, no HTTP. */
const rubbish = Buffer.from(
  '\u0000\uffff{"rubbish":[\u0001\u0002 HTTP/9.9 -ERR +OK $-7\r\n\r\n'.repeat(20),
  'latin1',
);

/** A way to a server that can be made slow, cut, or led to another server, while the address stays the same. */
export class FaultyProxy {
  /** Each piece of data waits so long, in both directions. */
  delayMs = 0;
  /** New connections are reset at once. */
  refuses = false;
  #fault: Fault | undefined;
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  private constructor(private targetPort: number) {
    this.#server = createServer((client) => this.#join(client));
  }

  /** @param port on which it is reached; a free one without it */
  static async open(targetPort: number, port = 0): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', resolve);
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

  /**
   * From now on, for connections that are open as well: `slow`, a third of a second for each piece of data; `resetting`,
   * cut after some kilobytes; `silent`, taken and never answered; `rubbish`, answered by bytes that mean nothing.
   */
  break(fault: Fault): void {
    this.#fault = fault;
    this.delayMs = fault === 'slow' ? slowMs : 0;
  }

  /** Whole again. What is open has lost some of what was sent, and is cut. */
  mend(): void {
    this.#fault = undefined;
    this.delayMs = 0;
    this.refuses = false;
    this.reset();
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
      let passed = 0;
      from.on('data', (data) => {
        passed += data.length;
        if (this.#fault === 'silent') return;
        if (this.#fault === 'resetting' && passed > resetEveryBytes) return void from.resetAndDestroy();
        if (this.#fault === 'rubbish') return void (from === client && client.write(rubbish));
        this.#pass(to, () => to.write(data));
      });
      from.on('end', () => this.#pass(to, () => to.end()));
      from.on('error', () => to.resetAndDestroy());
      from.on('close', () => {
        this.#open.delete(from);
        // What is still on its way arrives first.
        this.#pass(to, () => to.destroySoon());
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
