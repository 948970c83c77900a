import { attributes, inSpan, isTracing, withTraceContext } from '@behalf/telemetry';
import { trace } from '@opentelemetry/api';
import type { NextFunction, Request, Response } from 'express';

/** One SERVER span per request, child of the caller's `traceparent`. The query never goes in: it may hold codes. */
export function traceRequests(request: Request, response: Response, next: NextFunction): void {
  if (!isTracing()) return next();
  const parent = withTraceContext(request.headers);
  void inSpan(
    `${request.method} ${request.path}`,
    { kind: 'SERVER', parent, attributes: { [attributes.httpMethod]: request.method } },
    () => {
      return new Promise<void>((resolve) => {
        response.once('close', () => {
          trace.getActiveSpan()?.setAttribute(attributes.httpStatus, response.statusCode);
          resolve();
        });
        next();
      });
    },
  );
}
