import { attributes, inSpan, isTracing, withTraceContext } from '@behalf/telemetry';
import { trace } from '@opentelemetry/api';
import type { NextFunction, Request, Response } from 'express';
import { routeOf } from './measure-requests.js';

/**
 * One SERVER span per request, child of the caller's `traceparent`, named by method and route. Neither path nor query
 * goes in: they hold names, ids and codes, and everybody may make up as many as they like.
 */
export function traceRequests(request: Request, response: Response, next: NextFunction): void {
  if (!isTracing()) return next();
  const parent = withTraceContext(request.headers);
  void inSpan(
    request.method,
    { kind: 'SERVER', parent, attributes: { [attributes.httpMethod]: request.method } },
    () => {
      const span = trace.getActiveSpan();
      return new Promise<void>((resolve) => {
        response.once('close', () => {
          span?.setAttribute(attributes.httpStatus, response.statusCode);
          const route = routeOf(request);
          if (route !== undefined)
            span?.setAttribute(attributes.httpRoute, route).updateName(`${request.method} ${route}`);
          resolve();
        });
        next();
      });
    },
  );
}
