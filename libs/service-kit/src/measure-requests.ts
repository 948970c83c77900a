import { attributes, durationHistogram } from '@behalf/telemetry';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

/**
 * Names the route of a request that the framework's router never sees. Only for paths of which there are as many as are
 * configured.
 */
export function nameRoute(request: Request, path: string): void {
  request.route = { path };
}

/** The route of a request once it was answered; none, for a path that nobody has a route for. */
export function routeOf(request: Request): string | undefined {
  const path = (request.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}

/**
 * How many requests, how they ended and how long they took, by route. A path that nobody has a route for
 * counts without one: paths hold names, and everybody may make up as many as they like.
 */
export function measureRequests(service: string): RequestHandler {
  const duration = durationHistogram('http.server.request.duration', 'Requests by route and status');
  return (request: Request, response: Response, next: NextFunction) => {
    const began = performance.now();
    response.once('close', () => {
      const route = routeOf(request);
      duration.record((performance.now() - began) / 1000, {
        [attributes.serviceName]: service,
        [attributes.httpMethod]: request.method,
        [attributes.httpStatus]: response.statusCode,
        ...(route !== undefined && { [attributes.httpRoute]: route }),
      });
    });
    next();
  };
}
