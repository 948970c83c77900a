import { attributes, durationHistogram } from '@behalf/telemetry';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

/**
 * How many requests, how they ended and how long they took, by route. A path that no controller has a pattern for
 * counts without one: paths hold names, and everybody may make up as many as they like.
 */
export function measureRequests(service: string): RequestHandler {
  const duration = durationHistogram('http.server.request.duration', 'Requests by route and status');
  return (request: Request, response: Response, next: NextFunction) => {
    const began = performance.now();
    response.once('close', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      duration.record((performance.now() - began) / 1000, {
        'service.name': service,
        [attributes.httpMethod]: request.method,
        [attributes.httpStatus]: response.statusCode,
        ...(typeof route === 'string' && { [attributes.httpRoute]: route }),
      });
    });
    next();
  };
}
