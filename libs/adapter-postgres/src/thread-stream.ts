import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';

/**
 * A worker thread as the socket of PostgreSQL's client: what is written goes to the thread as messages, what the
 * thread answers is read. Ends when the thread has; an error of the thread is one of the stream.
 */
export class ThreadStream extends Duplex {
  constructor(private readonly thread: Worker) {
    super();
    thread.on('message', (answer: Uint8Array) => this.push(answer));
    thread.once('error', (error) => this.destroy(error));
    thread.once('exit', () => this.push(null));
  }

  connect(): void {
    process.nextTick(() => this.emit('connect'));
  }

  // The client sets these on a socket; there is no network here to tune.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): void {
    this.thread.ref();
  }
  unref(): void {
    this.thread.unref();
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#post([chunk]);
    done();
  }

  /** The parts of one query were written together, and are executed together. */
  override _writev(parts: { chunk: Uint8Array }[], done: () => void): void {
    this.#post(parts.map(({ chunk }) => chunk));
    done();
  }

  /**
   * In a buffer of their own, which is handed over. A small `Buffer` is a view of a pool of 64 KiB, and all of that would
   * be copied, twice.
   */
  #post(parts: readonly Uint8Array[]): void {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.thread.postMessage(whole, [whole.buffer]);
  }
}
