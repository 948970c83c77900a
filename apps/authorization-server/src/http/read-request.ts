import { OAuthError } from '@behalf/oauth';
import { readJsonBody } from '@behalf/service-kit';
import type { Request } from 'express';
import type { z } from 'zod';

const limits = { maxBytes: 64 * 1024, maxDepth: 16 };

/** The body of an administrative request, by its contract. @throws OAuthError `invalid_request` */
export async function readRequest<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJsonBody(request, limits));
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new OAuthError('invalid_request', `missing or malformed: ${places.slice(0, 5).join(', ')}`, {
    cause: parsed.error,
  });
}
