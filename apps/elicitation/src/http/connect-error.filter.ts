import { ElicitationRefusal, elicitationRefusalToOAuthError } from '@behalf/elicitation';
import { OAuthError } from '@behalf/oauth';
import type { Page } from '@behalf/pages';
import { LOGGER, type Logger, PageErrorFilter } from '@behalf/service-kit';
import { ThirdPartyError } from '@behalf/third-party';
import { VaultError } from '@behalf/vault';
import { Catch, Inject } from '@nestjs/common';
import { refusedPage } from '../pages/result-pages.js';

/** Texts of providers are never shown. */
@Catch()
export class ConnectErrorFilter extends PageErrorFilter {
  constructor(@Inject(LOGGER) logger: Logger) {
    super(logger);
  }

  protected override page({ description }: OAuthError): Page {
    return refusedPage(description);
  }

  protected override translate(error: unknown): OAuthError | undefined {
    if (error instanceof ElicitationRefusal) return elicitationRefusalToOAuthError(error.reason);
    if (error instanceof ThirdPartyError || error instanceof VaultError)
      return new OAuthError('temporarily_unavailable', 'the provider could not be reached as it should', {
        cause: error,
        retryAfterSeconds: error.retryAfterSeconds ?? 5,
      });
    return undefined;
  }
}
