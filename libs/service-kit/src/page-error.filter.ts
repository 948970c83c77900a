import { OAuthError } from '@behalf/oauth';
import type { Page } from '@behalf/pages';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import type { Logger } from './logger.js';
import { sendPage } from './send-page.js';

/** Tells people, not programs, what went wrong. What nobody expected is `server_error`, without its text. */
export abstract class PageErrorFilter implements ExceptionFilter {
  protected constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known =
      error instanceof OAuthError
        ? error
        : (this.translate(error) ??
          new OAuthError('server_error', 'something failed here', { cause: error }));
    if (known.status >= 500) this.logger.error({ err: known.cause ?? known }, known.code);
    else this.logger.info({ error: known.code, description: known.description }, 'page refused');
    if (known.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds));
    sendPage(response, this.page(known), known.status);
  }

  protected abstract page(error: OAuthError): Page;

  /** Errors that the service has of its own. */
  protected translate(_error: unknown): OAuthError | undefined {
    return undefined;
  }
}
