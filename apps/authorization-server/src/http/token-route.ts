import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationServerConfig } from '@behalf/config';
import type { PlainRoutes } from '@behalf/service-kit';
import type { ProviderHolder } from '../provider-holder.js';
import { allowAnyOrigin, forbidFraming, issuerPathOf } from './route-to-provider.js';

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
    request.url = request.url?.slice(issuerPath.length);
    allowAnyOrigin(response);
    forbidFraming(response);
    await holder.answerTokenRequest(Object.assign(request, { originalUrl: request.url }), response);
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
