import type { OAuthError } from '@behalf/oauth';
import type { Page } from '@behalf/pages';
import { LOGGER, type Logger, PageErrorFilter } from '@behalf/service-kit';
import { Catch, Inject } from '@nestjs/common';
import { refusedPage } from './approval-pages.js';

@Catch()
export class ApprovalErrorFilter extends PageErrorFilter {
  constructor(@Inject(LOGGER) logger: Logger) {
    super(logger);
  }

  protected override page({ description }: OAuthError): Page {
    return refusedPage(description);
  }
}
