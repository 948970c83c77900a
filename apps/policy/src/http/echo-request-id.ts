import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';

/** @see AuthZEN Authorization API 1.0 §10.1.3 */
export function echoRequestId(request: IncomingMessage, response: ServerResponse): void {
  const id = request.headers['x-request-id'];
  if (typeof id === 'string' && /^[\x20-\x7e]{1,256}$/.test(id)) response.setHeader('X-Request-ID', id);
}

/** For answers; errors of a call get theirs from the filter, which also sees what fails before this runs. */
export class EchoRequestId implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    echoRequestId(http.getRequest(), http.getResponse());
    return next.handle();
  }
}
