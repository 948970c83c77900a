import { OAuthError } from '@behalf/oauth';
import { readBody } from '@behalf/service-kit';
import { WebhookRefused } from '@behalf/third-party';
import { Controller, HttpCode, Inject, Param, Post, Req, type Type } from '@nestjs/common';
import type { Request } from 'express';
import type { ElicitationServiceConfig } from '../config.js';
import { ProviderCatalog } from '../provider-catalog.js';
import { ProviderEvents } from '../provider-events.js';

const maxBytes = 256 * 1024;

/** Where providers tell that somebody ended what they had agreed to there. Their signature is all that is believed. */
export function providerEventsController({ providerEvents }: ElicitationServiceConfig['paths']): Type {
  @Controller(providerEvents)
  class ProviderEventsController {
    constructor(
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
      @Inject(ProviderEvents) private readonly events: ProviderEvents,
    ) {}

    @Post(':provider')
    @HttpCode(200)
    async take(@Param('provider') id: string, @Req() request: Request): Promise<object> {
      const provider = this.providers.find(id);
      if (provider?.webhook === undefined)
        throw new OAuthError('invalid_request', 'there is nothing at this path', { status: 404 });
      const { headers } = request;
      const body = await readBody(request, maxBytes);
      const { webhook } = provider;
      const outcome = await this.events.take({ ...provider, webhook }, { headers, body }).catch(refuse);
      if (outcome.kind === 'known')
        throw new OAuthError('invalid_request', 'this was delivered before', { status: 409 });
      return outcome.kind === 'challenge' ? { challenge: outcome.answer } : {};
    }
  }
  return ProviderEventsController;
}

function refuse(error: unknown): never {
  if (!(error instanceof WebhookRefused)) throw error;
  throw error.reason === 'malformed'
    ? new OAuthError('invalid_request', 'the event is malformed', { cause: error })
    : new OAuthError('access_denied', 'the event is not signed as it should be', {
        cause: error,
        status: 401,
      });
}
