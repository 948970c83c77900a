import { Deadline } from '@behalf/ports';
import type { Request, RequestHandler, Response } from 'express';

/** For the refusal of the step that is under way to arrive in the words of its edge: a page, JSON-RPC, OAuth's JSON. */
export const deadlineGraceMs = 1_500;

/**
 * Gives every request its deadline. Whoever is not answered a moment after it is told so here, whatever their request
 * still waits for, and their connection is ended: to what still runs it looks as if the caller had gone, and it goes on
 * to its next step and no further. An answer that has begun takes the time it takes.
 */
export function limitRequests(timeoutMs: number): RequestHandler {
  return (_request: Request, response: Response, next) => {
    const deadline = new Deadline(timeoutMs);
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      const leftMs = deadline.leftMs() + deadlineGraceMs;
      if (leftMs === Infinity) return;
      if (leftMs > 0) timer = setTimeout(look, leftMs).unref();
      else refuse(response);
    };
    look();
    response.once('close', () => {
      clearTimeout(timer);
      // Of a caller who has gone, what still runs is bounded all the same.
      if (response.writableFinished) deadline.end();
    });
    deadline.run(next);
  };
}

/**
 * Straight to the connection: through the response, an answer that comes too late all the same would fail in the middle
 * of its edge.
 */
function refuse(response: Response): void {
  const { socket } = response;
  if (response.headersSent || !socket || socket.destroyed) return;
  response.statusCode = 503;
  const body = '{"error":"temporarily_unavailable","error_description":"the request took too long"}';
  const readable = Object.entries(response.getHeaders())
    .filter(([name]) => name.startsWith('access-control-'))
    .map(([name, value]) => `${name}: ${String(value)}`);
  socket.end(
    [
      'HTTP/1.1 503 Service Unavailable',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Cache-Control: no-store',
      'Retry-After: 1',
      ...readable,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  socket.destroySoon();
}
