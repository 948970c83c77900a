/**
 * The thread that PGlite runs in. It is handed PostgreSQL's wire protocol, one message batch at a time, and answers in
 * kind, so that no SQL is ever executed in the thread that answers requests. Started by `open-pglite.ts` only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** 'X', the client's last message. @see PostgreSQL, 54.7 (Terminate) */
const terminate = 0x58;

if (!parentPort) throw new Error('this is the entry of a worker thread');
const port = parentPort;
const pglite = await PGlite.create({ dataDir: (workerData as { dataDir: string }).dataDir });

port.on('message', (request: Uint8Array) => {
  if (request[0] === terminate) {
    void pglite.close().then(() => port.close());
    return;
  }
  const answer = pglite.execProtocolRawSync(request);
  port.postMessage(answer, [answer.buffer as ArrayBuffer]);
});
