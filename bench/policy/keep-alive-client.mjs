// A caller that costs the machine little: requests are bytes that are written down beforehand, one at a time on each
// connection. What it spares is left to whoever is measured, on both sides the same.
import { connect } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

/** @returns one request after another, whole, as it goes over the wire */
export function prepareRequests(url, path, bodies) {
  const { host } = new URL(url);
  return bodies.map((body) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
}

export class KeepAliveClient {
  #idle = [];

  constructor(url) {
    const { hostname: host, port } = new URL(url);
    this.address = { host, port: Number(port), noDelay: true };
  }

  /** Resolves to the body's text. An answer that is not 200 rejects. */
  async send(request) {
    const connection = this.#taken() ?? (await open(this.address));
    const answer = await connection.exchange(request);
    this.#idle.push(connection);
    return answer;
  }

  /** A server closes what nobody has used for a while. */
  #taken() {
    for (let one = this.#idle.pop(); one !== undefined; one = this.#idle.pop()) if (one.isOpen()) return one;
    return undefined;
  }
}

async function open(address) {
  const socket = connect(address);
  const connected = Promise.withResolvers();
  let [waiting, parts] = [connected, []];
  socket.once('connect', connected.resolve);
  socket.once('error', (error) => waiting.reject(error));
  socket.once('close', () => waiting.reject(new Error('the connection was closed')));
  socket.on('data', (part) => {
    parts.push(part);
    const answer = parts.length === 1 ? part : Buffer.concat(parts);
    const end = answer.indexOf(headEnd) + headEnd.length;
    if (end < headEnd.length) return;
    const head = answer.latin1Slice(0, end);
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
    const isWhole =
      length === undefined ? answer.subarray(-7).equals(lastChunk) : answer.length === end + Number(length);
    if (!isWhole) return;
    parts = [];
    if (head.startsWith('HTTP/1.1 200 ')) waiting.resolve(answer.utf8Slice(end));
    else waiting.reject(new Error(`answered ${answer.utf8Slice()}`));
  });
  await connected.promise;
  return {
    isOpen: () => socket.writable && socket.readable,
    exchange(request) {
      waiting = Promise.withResolvers();
      socket.write(request);
      return waiting.promise;
    },
  };
}
