import { OAuthError } from '@behalf/oauth';
import { type Logger, LOGGER } from '@behalf/service-kit';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Response } from 'express';
import { errors } from 'oidc-provider';
import { errorPage } from '../pages/message-pages.js';
import { sendPage } from './send-page.js';

/** Tells people, not programs, what went wrong. */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known = asOAuthError(error);
    if (known.status >= 500) this.logger.error({ err: known.cause ?? known }, known.code);
    else this.logger.info({ error: known.code, description: known.description }, 'page refused');
    if (known.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds));
    sendPage(response, errorPage(known.toJSON()), known.status);
  }
}

/** The last of them for an agent that may not act now. */
const clientErrors = [errors.InvalidClient, errors.InvalidClientMetadata, errors.InvalidClientAuth];

function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (clientErrors.some((kind) => error instanceof kind)) {
    return new OAuthError('invalid_client', 'the application cannot be identified', {
      cause: error,
      status: 400,
    });
  }
  return new OAuthError('server_error', 'something failed here', { cause: error });
}
