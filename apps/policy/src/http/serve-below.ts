import type { NextFunction, Request, Response } from 'express';

/** Serves everything below the path of the public URL, too, for a proxy that passes paths on as they are. */
export function serveBelow(
  basePath: string,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, _response, next) => {
    if (basePath !== '/' && request.url.startsWith(`${basePath}/`))
      request.url = request.url.slice(basePath.length);
    next();
  };
}
