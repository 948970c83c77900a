import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/**
 * Shares connections among the replicas of a service, one after the other, and passes over those that do not take any.
 * Knows nothing of HTTP: in production a reverse proxy stands here.
 */
export class TcpBalancer {
  readonly #open = new Set<Socket>();
  #turn = 0;

  private constructor(
    private readonly server: Server,
    private ports: readonly number[],
  ) {
    server.on('connection', (client: Socket) => {
      this.#keep(client);
      this.#join(client, this.#inTurn());
    });
  }

  /**
   * Listens; before there are replicas, connections are reset.
   *
   * @param port 0 for any that is free
   * @throws Error when the port is taken
   */
  static async open(port: number, ports: readonly number[], host = '127.0.0.1'): Promise<TcpBalancer> {
    // A client may say that it has said all, and still waits for the answer.
    const server = createServer({ allowHalfOpen: true });
    const balancer = new TcpBalancer(server, ports);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return balancer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  shareAmong(ports: readonly number[]): void {
    this.ports = ports;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  /** Every replica once, beginning with the next one. */
  #inTurn(): number[] {
    const first = this.#turn++ % this.ports.length;
    return [...this.ports.slice(first), ...this.ports.slice(0, first)];
  }

  #join(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) return void client.resetAndDestroy();
    const replica = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const next = (): void => this.#join(client, others);
    replica.once('error', next);
    replica.once('connect', () => {
      replica.off('error', next);
      this.#keep(replica);
      // A replica may answer and close before it has read everything: the answer still has to arrive.
      replica.on('close', (failed) => {
        if (failed) client.destroy();
        else client.end();
        client.resume();
      });
      client.on('close', () => replica.destroy());
      client.pipe(replica).pipe(client);
    });
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#open.delete(socket));
  }
}
