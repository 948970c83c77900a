import { readRequestBody } from '@behalf/service-kit';
import type { Request } from 'express';
import type { z } from 'zod';

const limits = { maxBytes: 64 * 1024, maxDepth: 16 };

/** The body of an administrative request, by its contract. @throws OAuthError `invalid_request` */
export function readRequest<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  return readRequestBody(request, schema, limits);
}
