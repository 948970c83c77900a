import type { Dispatcher } from 'undici';
import { GuardedFetchError } from './guarded-fetch-error.js';

/** Reads a body up to its limit. What `Content-Length` says saves the reading; it is not relied on. */
export async function readBody(
  response: Pick<Dispatcher.ResponseData, 'headers' | 'body'>,
  url: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes)
    throw new GuardedFetchError('too_large', url);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new GuardedFetchError('too_large', url);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
