import type { RequestHandler } from 'express';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

/** By path, without the query: what answers a POST there. Answers everything itself, its own failures included. */
export type PlainRoutes = Readonly<
  Record<string, (request: IncomingMessage, response: ServerResponse) => void>
>;

/**
 * Answers some requests before the framework's router sees them: finding a route there costs as much as a small answer.
 * Nothing of the framework is around them but these steps, which read no more of a request than its path and route.
 */
export function answerAhead(server: Server, routes: PlainRoutes, steps: readonly RequestHandler[]): void {
  const others = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const path = request.method === 'POST' ? pathOf(request) : '';
    const answer = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (answer === undefined) return others.forEach((listener) => listener(request, response));
    const routed = Object.assign(request, { path, route: { path } });
    const from = (step: number): void => {
      const next = steps[step];
      if (next === undefined) return answer(request, response);
      next(routed as never, response as never, () => from(step + 1));
    };
    from(0);
  });
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
