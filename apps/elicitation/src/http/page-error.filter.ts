import { ElicitationRefusal, elicitationRefusalToOAuthError } from '@behalf/elicitation';
import { OAuthError } from '@behalf/oauth';
import { LOGGER, type Logger, sendPage } from '@behalf/service-kit';
import { ThirdPartyError } from '@behalf/third-party';
import { VaultError } from '@behalf/vault';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Response } from 'express';
import { refusedPage } from '../pages/result-pages.js';

/** Tells people, not programs, what went wrong. Texts of providers are never shown. */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known = asOAuthError(error);
    if (known.status >= 500) this.logger.error({ err: known.cause ?? known }, known.code);
    else this.logger.info({ error: known.code, description: known.description }, 'page refused');
    if (known.retryAfterSeconds !== undefined) response.set('Retry-After', String(known.retryAfterSeconds));
    sendPage(response, refusedPage(known.description), known.status);
  }
}

function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  if (error instanceof ElicitationRefusal) return elicitationRefusalToOAuthError(error.reason);
  if (error instanceof ThirdPartyError || error instanceof VaultError)
    return new OAuthError('temporarily_unavailable', 'the provider could not be reached as it should', {
      cause: error,
      retryAfterSeconds: error.retryAfterSeconds ?? 5,
    });
  return new OAuthError('server_error', 'something failed here', { cause: error });
}
