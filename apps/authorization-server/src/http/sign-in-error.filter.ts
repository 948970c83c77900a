import { OAuthError } from '@behalf/oauth';
import type { Page } from '@behalf/pages';
import { LOGGER, type Logger, PageErrorFilter } from '@behalf/service-kit';
import { Catch, Inject } from '@nestjs/common';
import { errors } from 'oidc-provider';
import { errorPage } from '../pages/message-pages.js';

/** The last of them for an agent that may not act now. */
const clientErrors = [errors.InvalidClient, errors.InvalidClientMetadata, errors.InvalidClientAuth];

@Catch()
export class SignInErrorFilter extends PageErrorFilter {
  constructor(@Inject(LOGGER) logger: Logger) {
    super(logger);
  }

  protected override page(error: OAuthError): Page {
    return errorPage(error.toJSON());
  }

  protected override translate(cause: unknown): OAuthError | undefined {
    if (!clientErrors.some((kind) => cause instanceof kind)) return undefined;
    return new OAuthError('invalid_client', 'the application cannot be identified', { cause, status: 400 });
  }
}
