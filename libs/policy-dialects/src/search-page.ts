import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnmappableRequest } from './unmappable-request.js';

const maxLimit = 1000;

/** A token that is no text, or a limit that is no number, is the caller's mistake; the rest of `page` is ignored. */
export const pageSchema = z
  .object({ token: z.string().max(4096).optional(), limit: z.int().nonnegative().optional() })
  .optional();
export type PageRequest = z.infer<typeof pageSchema>;

const tokenSchema = z.tuple([z.string(), z.int(), z.string().nullable()]);

export interface Page {
  limit: number;
  /** The last candidate that was shown. Only what was shown stands in a token, so it tells nothing else. */
  after: string | undefined;
  digest: string;
}

/**
 * @param request what must be the same on every page
 * @throws UnmappableRequest `malformed` for a token that is not ours or not of this request
 */
export function readPage(page: PageRequest, request: unknown): Page {
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('base64url');
  if (!page?.token) return { limit: Math.min(page?.limit ?? maxLimit, maxLimit), after: undefined, digest };
  const token = tokenSchema.safeParse(parse(page.token));
  if (!token.success) throw new UnmappableRequest('malformed', 'page.token is not one of ours');
  const [ofRequest, limit, after] = token.data;
  if (ofRequest !== digest || (page.limit !== undefined && Math.min(page.limit, maxLimit) !== limit))
    throw new UnmappableRequest('malformed', 'page.token belongs to another request');
  return { limit: Math.min(Math.max(limit, 0), maxLimit), after: after ?? undefined, digest };
}

export function writeToken({ digest, limit, after }: Page): string {
  return Buffer.from(JSON.stringify([digest, limit, after ?? null])).toString('base64url');
}

function parse(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
