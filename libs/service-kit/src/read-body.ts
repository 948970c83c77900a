import { IJsonError, type IJsonLimits, parseIJson } from '@behalf/i-json';
import { OAuthError } from '@behalf/oauth';
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';

/** What is too large is read, and thrown away, for so long, and up to so many times what is allowed. */
const lingerMs = 2_000;
const lingerTimes = 4;

/**
 * Reads a request's body whole.
 *
 * @throws OAuthError `invalid_request` (413) once it is larger than `maxBytes`, announced or not
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = (): OAuthError => {
    linger(request, lingerTimes * maxBytes);
    return new OAuthError('invalid_request', 'the body is too large', { status: 413 });
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  if (request.destroyed) throw new Error('the connection has ended');
  // By its events: an iterator over a stream costs as much as the rest of a small request.
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBytes) return;
    request.off('data', take);
    reject(tooLarge());
  };
  request.on('data', take);
  request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
  request.once('error', reject);
  request.once('close', () => {
    if (!request.readableEnded) reject(new Error('the connection ended before the body'));
  });
  return promise;
}

/** A connection that was cut at once would take the answer with it; but whoever sends this may never stop. */
function linger(request: IncomingMessage, maxBytes: number): void {
  const { socket } = request;
  let isOver = false;
  // Of a connection that ends with the answer, only our side does for now.
  socket.destroySoon = () => {
    isOver = true;
    socket.end();
  };
  request.once('end', () => {
    Reflect.deleteProperty(socket, 'destroySoon');
    if (isOver) socket.destroySoon();
  });
  const cut = (): void => {
    if (isOver || !request.complete) socket.destroy();
  };
  setTimeout(cut, lingerMs).unref();
  let left = maxBytes;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
}

/**
 * Reads a JSON body strictly (RFC 7493).
 *
 * @throws OAuthError `invalid_request`: 415 for another content type, 413 when too large, 400 otherwise
 */
export async function readJsonBody(request: IncomingMessage, limits: IJsonLimits): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new OAuthError('invalid_request', 'the body must be application/json', { status: 415 });
  }
  const body = await readBody(request, limits.maxBytes);
  try {
    return parseIJson(body, limits);
  } catch (cause) {
    if (!(cause instanceof IJsonError)) throw cause;
    throw new OAuthError('invalid_request', `the body is not acceptable JSON: ${cause.problem}`, { cause });
  }
}

/**
 * Reads a JSON body by its contract.
 *
 * @throws OAuthError `invalid_request` as `readJsonBody`; it names the places that are wrong, and no values
 */
export async function readRequestBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  limits: IJsonLimits,
): Promise<T> {
  const parsed = schema.safeParse(await readJsonBody(request, limits));
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new OAuthError('invalid_request', `missing or malformed: ${places.slice(0, 5).join(', ')}`, {
    cause: parsed.error,
  });
}

/**
 * Reads a form body. A parameter that comes twice is refused.
 *
 * @throws OAuthError `invalid_request`
 */
export async function readFormBody(
  request: IncomingMessage,
  maxBytes = 64 * 1024,
): Promise<Map<string, string>> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'the body must be application/x-www-form-urlencoded', {
      status: 415,
    });
  }
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(
    Buffer.from(await readBody(request, maxBytes)).toString('utf8'),
  )) {
    if (form.has(name)) throw new OAuthError('invalid_request', 'a parameter is repeated');
    form.set(name, value);
  }
  return form;
}
