import type { Dispatcher } from 'undici';
import { GuardedFetchError } from './guarded-fetch-error.js';

type Answer = Pick<Dispatcher.ResponseData, 'headers' | 'body'>;

/** Reads a body up to its limit. What `Content-Length` says saves the reading; it is not relied on. */
export async function readBody(response: Answer, url: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readInPieces(response, url, maxBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same piece by piece. @throws GuardedFetchError `too_large`, after what was within the limit */
export async function* readInPieces(
  { headers, body }: Answer,
  url: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new GuardedFetchError('too_large', url);
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new GuardedFetchError('too_large', url);
    yield chunk;
  }
}
