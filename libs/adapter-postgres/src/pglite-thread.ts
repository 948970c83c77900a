/**
 * The thread that PGlite runs in. It is handed PostgreSQL's wire protocol, one message batch at a time, and answers in
 * kind, so that no SQL is ever executed in the thread that answers requests. Started by `open-pglite.ts` only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** 'X', the client's last message. @see PostgreSQL, 54.7 (Terminate) */
const terminate = 0x58;
/** The first byte of a length: the client's first message, which has no type. @see PostgreSQL, 53.7 (StartupMessage) */
const startup = 0;

if (!parentPort) throw new Error('this is the entry of a worker thread');
const port = parentPort;
const pglite = await PGlite.create({ dataDir: (workerData as { dataDir: string }).dataDir });

port.on('message', (request: Uint8Array) => {
  if (request[0] === terminate) {
    void pglite.close().then(() => port.close());
    return;
  }
  if (request[0] === startup) {
    post(pglite.execProtocolRawSync(request));
    return;
  }
  // Not `execProtocolRawSync`, which reads every answer and keeps what it has read until the program ends.
  const parts: Uint8Array[] = [];
  const onRawData = (part: Uint8Array): number => parts.push(part.slice());
  // An error that the database has no answer for ends the thread.
  void pglite.execProtocolRawStream(request, { syncToFs: false, onRawData }).then(() => post(joined(parts)));
});

function post(answer: Uint8Array): void {
  port.postMessage(answer, [answer.buffer as ArrayBuffer]);
}

/** In a buffer of its own, which can be handed over. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = parts;
  if (only !== undefined && more.length === 0) return only;
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
