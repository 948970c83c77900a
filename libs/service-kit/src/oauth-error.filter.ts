import { OAuthError } from '@behalf/oauth';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { Response } from 'express';
import type { Logger } from './logger.js';

/** Turns every error into `{error, error_description}`. What is not an OAuthError is logged and leaves as server_error. */
@Catch()
export class OAuthErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known = this.#asOAuthError(error);
    if (known.status >= 500) this.logger.error({ err: known.cause ?? known }, known.code);
    else this.logger.debug({ error: known.code, description: known.description }, 'request refused');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (known.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds));
    response.status(known.status).set('Cache-Control', 'no-store').json(known.toJSON());
  }

  #asOAuthError(error: unknown): OAuthError {
    if (error instanceof OAuthError) return error;
    if (error instanceof HttpException) {
      const status = error.getStatus();
      if (status === 404)
        return new OAuthError('invalid_request', 'there is nothing at this path', { status });
      if (status < 500)
        return new OAuthError('invalid_request', 'the request cannot be served', { status, cause: error });
    }
    return new OAuthError('server_error', 'something failed here', { cause: error });
  }
}
