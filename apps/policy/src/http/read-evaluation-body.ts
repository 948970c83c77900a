import type { IJsonLimits } from '@behalf/i-json';
import { OAuthError } from '@behalf/oauth';
import { readJsonBody } from '@behalf/service-kit';
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';

/** Reads a JSON body strictly; another content type is 400 like every other fault of a body. */
export async function readEvaluationBody(request: IncomingMessage, limits: IJsonLimits): Promise<unknown> {
  return readJsonBody(request, limits).catch((error: unknown) => {
    // AuthZEN §10.1 knows 400 only; 413 stays, since it tells the caller what would help.
    if (error instanceof OAuthError && error.status === 415) {
      throw new OAuthError('invalid_request', error.description, { status: 400, cause: error });
    }
    throw error;
  });
}

/** @throws OAuthError `invalid_request` that names the places, never the values */
export function parsedBody<T>(parsed: z.ZodSafeParseResult<T>): T {
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new OAuthError('invalid_request', `missing or malformed: ${places.slice(0, 5).join(', ')}`);
}
