import type { NextFunction, Request, Response } from 'express';

/** Takes requests that Envoy repeats below a prefix to the one place that answers them, and keeps their path for it. */
export function repeatBelow(
  prefix: string,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    if (
      request.url === prefix ||
      request.url.startsWith(`${prefix}/`) ||
      request.url.startsWith(`${prefix}?`)
    ) {
      response.locals['proxiedUrl'] = request.url.slice(prefix.length) || '/';
      request.url = '/access/v1/ext-authz';
    }
    next();
  };
}
