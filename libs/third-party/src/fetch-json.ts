import type { z } from 'zod';
import type { OutboundHttp } from './http.js';
import { UnusableReply } from './provider-failure.js';
import { retryAfter } from './normalise-token-response.js';

/**
 * A JSON document of a provider. Undefined when there is none (404 and its like), so that the next place can be tried.
 *
 * @throws UnusableReply, TransportFailure, or ZodError when it is another document
 */
export async function fetchJson<T>(
  http: OutboundHttp,
  url: string,
  schema: z.ZodType<T>,
  internalHosts: readonly string[],
): Promise<T | undefined> {
  const reply = await http(url, { method: 'GET', headers: { accept: 'application/json' }, internalHosts });
  if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) return undefined;
  if (reply.status !== 200) throw new UnusableReply(reply.status, retryAfter(reply));
  return schema.parse(JSON.parse(Buffer.from(reply.body).toString()));
}
