import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

const idleSweepMs = 50;
/** Node leaves an idle connection so much longer than it has told the client. */
const keepAliveBufferMs = 1_000;

/**
 * Ends the connections that clients keep without losing a request on them. HTTP/1.1 has no way to call back an idle
 * connection: a request that is sent while we close it is reset, and the client, who cannot know whether it was done, may
 * not send it again. So nobody new is let in, every answer says `Connection: close`, and a connection without a request
 * stays for the time that its client was promised.
 *
 * @see RFC 9112 §9.6
 */
export class KeptConnections implements BeforeApplicationShutdown {
  readonly #open = new Set<Socket>();
  readonly #answering = new Set<Response>();
  #server: Server | undefined;
  #gone: Promise<void> | undefined;

  /** Comes before everything else of a request. */
  readonly noting: RequestHandler = (_request, response, next) => {
    this.#answering.add(response);
    response.once('close', () => this.#answering.delete(response));
    if (this.#gone) response.shouldKeepAlive = false;
    next();
  };

  watch(server: Server): void {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** @param waits for clients who keep a connection and may be sending on it now */
  end(waits: boolean): void {
    this.#gone ??= waits && this.#server ? this.#letGo(this.#server) : Promise.resolve();
    for (const response of this.#answering) response.shouldKeepAlive = false;
  }

  /** Holds what is needed to answer until the last ones have had their time. What is running then, the framework waits for. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#gone;
    // A connection that falls idle only then, after an answer that had begun before, would hold us for its keep-alive time.
    const idle = setInterval(() => this.#server?.closeIdleConnections(), idleSweepMs).unref();
    this.#server?.once('close', () => clearInterval(idle));
  }

  async #letGo(server: Server): Promise<void> {
    // Who has connected in this turn of the loop is let in first: closing would reset them.
    await setImmediate();
    const closed = once(server, 'close');
    // The HTTP server's own would end idle connections at once.
    NetServer.prototype.close.call(server);
    await Promise.race([
      closed,
      setTimeout(server.keepAliveTimeout + keepAliveBufferMs, undefined, { ref: false }),
    ]);
    const asking = new Set([...this.#answering].map(({ socket }) => socket && clientOf(socket)));
    // Who has connected and asks nothing would hold us for a minute.
    for (const socket of this.#open) if (!asking.has(clientOf(socket))) socket.destroy();
  }
}

/** The same for a connection and for the TLS on it. */
function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
