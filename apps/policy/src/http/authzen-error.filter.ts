import { OAuthError, protectedResourceMetadataUrl } from '@behalf/oauth';
import { bearerChallenge } from '@behalf/resource-server';
import { LOGGER, type Logger } from '@behalf/service-kit';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type PolicyServiceConfig, requiredScope } from '../config.js';
import { isShed } from '../decision-gate.js';
import { POLICY_CONFIG } from '../tokens.js';
import { echoRequestId } from './echo-request-id.js';

/** Errors of the call, in the shape that AuthZEN gives to errors of an item: `{error: {status, message}}`. */
@Catch()
export class AuthzenErrorFilter implements ExceptionFilter {
  constructor(
    @Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    this.refuse(thrown, host.switchToHttp().getRequest(), host.switchToHttp().getResponse());
  }

  refuse(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    const error =
      thrown instanceof OAuthError
        ? thrown
        : new OAuthError('server_error', 'something failed here', { cause: thrown });
    if (error.status >= 500 && !isShed(error)) this.logger.error({ err: error.cause ?? error }, error.code);
    echoRequestId(request, response);
    if (error.status === 401 || error.status === 403)
      response.setHeader('WWW-Authenticate', this.#challenge(request, error));
    if (error.retryAfterSeconds !== undefined) response.setHeader('Retry-After', error.retryAfterSeconds);
    const message = error.toJSON().error_description;
    const body = JSON.stringify({ error: { status: error.status, message } });
    response
      .writeHead(error.status, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
      })
      .end(body);
  }

  #challenge(request: IncomingMessage, error: OAuthError): string {
    return bearerChallenge({
      resourceMetadata: protectedResourceMetadataUrl(this.config.publicUrl),
      scope: requiredScope,
      error: request.headers.authorization === undefined ? undefined : error,
    });
  }
}
