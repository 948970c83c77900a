import { readRequestBody } from '@behalf/service-kit';
import type { Request } from 'express';
import type { z } from 'zod';

/** A bundle is a few hundred files at most. */
const limits = { maxBytes: 4 * 1024 * 1024, maxDepth: 64 };

/** The body of an administrative request, by its contract. @throws OAuthError `invalid_request` */
export function readRequest<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  return readRequestBody(request, schema, limits);
}
