import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationServerConfig } from '@behalf/config';
import type { PlainRoutes } from '@behalf/service-kit';
import type { ProviderHolder } from '../provider-holder.js';
import { anyOrigin, issuerPathOf, setHeaders, unframed } from './route-to-provider.js';

/** As node takes them without looking at each of them again: names and values in turn. */
const plainHeaders = Object.entries({
  ...anyOrigin,
  ...unframed,
  'Cache-Control': 'no-store',
  'Content-Type': 'application/json; charset=utf-8',
}).flat();

/**
 * The token endpoint at the issuer's path. Most of what this service is asked for comes here, and finding the route in
 * the framework would be a good part of what it costs.
 */
export function tokenRoute(
  config: AuthorizationServerConfig,
  holder: ProviderHolder,
  onFault: (error: unknown) => void,
): PlainRoutes {
  const issuerPath = issuerPathOf(config);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const plainly = await holder.answerPlainly(request);
    if (plainly !== undefined) {
      const body = JSON.stringify(plainly);
      // A text goes out in one piece with the headers; bytes would be a piece of their own.
      response.writeHead(200, [...plainHeaders, 'Content-Length', String(Buffer.byteLength(body))]).end(body);
      return;
    }
    request.url = request.url?.slice(issuerPath.length);
    setHeaders(response, anyOrigin);
    setHeaders(response, unframed);
    await holder.handle(Object.assign(request, { originalUrl: request.url }), response);
  };
  const route = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => {
      onFault(error);
      // Half an answer must not look like a whole one.
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"error":"server_error"}');
    });
  };
  return { [issuerPath + config.paths.token]: route };
}
