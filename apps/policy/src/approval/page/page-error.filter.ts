import { OAuthError } from '@behalf/oauth';
import { LOGGER, type Logger, sendPage } from '@behalf/service-kit';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Response } from 'express';
import { refusedPage } from './approval-pages.js';

/** Tells people, not programs, what went wrong. */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known =
      error instanceof OAuthError
        ? error
        : new OAuthError('server_error', 'something failed here', { cause: error });
    if (known.status >= 500) this.logger.error({ err: known.cause ?? known }, known.code);
    else this.logger.info({ error: known.code, description: known.description }, 'page refused');
    if (known.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds));
    sendPage(response, refusedPage(known.description), known.status);
  }
}
