import { ElicitationRefusal } from '@behalf/elicitation';
import { OAuthError } from '@behalf/oauth';
import { html } from '@behalf/pages';
import { extendDeadline, outsideDeadline } from '@behalf/ports';
import { PersonSessions } from '@behalf/person-sign-in';
import { sendPage } from '@behalf/service-kit';
import { ThirdPartyError } from '@behalf/third-party';
import { type Vault, defaultTenant } from '@behalf/vault';
import { Controller, Get, Inject, Param, Req, Res, type Type, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { connectAccount } from '../connect-account.js';
import { ElicitationDesk } from '../elicitation-desk.js';
import { EndedAccounts } from '../ended-accounts.js';
import { refusedPage, resultPage } from '../pages/result-pages.js';
import { who } from '../pages/who.js';
import { ProviderCatalog } from '../provider-catalog.js';
import { type ProviderTrip, ProviderRoundTrip } from '../provider-round-trip.js';
import { thirdPartyTimeoutMs } from '../third-party-parts.js';
import { VAULT } from '../tokens.js';
import { ConnectErrorFilter } from './connect-error.filter.js';

/** 4xx for what the person, or whoever made up the address, has brought; 5xx for what the provider did. */
function statusOfFailure({ problem, isTimeout }: ThirdPartyError): number {
  if (isTimeout) return 504;
  switch (problem) {
    case 'denied':
    case 'mix_up':
    case 'invalid_grant':
      return 400;
    case 'client_refused':
    case 'refused':
    case 'unavailable':
    case 'outcome_unknown':
    case 'malformed':
    case 'forbidden_address':
      return 502;
  }
}

/** Where providers send people back, each to an address of its own. */
export function callbackController({ callback }: ElicitationServiceConfig['paths']): Type {
  @Controller(callback)
  @UseFilters(ConnectErrorFilter)
  class CallbackController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(PersonSessions) private readonly sessions: PersonSessions,
      @Inject(ElicitationDesk) private readonly desk: ElicitationDesk,
      @Inject(ProviderRoundTrip) private readonly trips: ProviderRoundTrip,
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
      @Inject(VAULT) private readonly vault: Vault,
      @Inject(EndedAccounts) private readonly ended: EndedAccounts,
    ) {}

    @Get(':provider')
    async callback(
      @Param('provider') providerId: string,
      @Req() request: Request,
      @Res() response: Response,
    ): Promise<void> {
      const trip = await this.trips.end(providerId, request, response);
      await this.#checkSamePerson(request, trip);
      const { elicitation: id, person, version } = trip;
      const provider = this.providers.find(providerId);
      if (!provider) throw new OAuthError('invalid_request', 'this provider is not connected here any more');
      const connectionsUrl = `${this.config.publicUrl}${this.config.paths.connections}`;
      try {
        // Before the code is redeemed: the tokens of an agreement that does not count any more are not wanted.
        const { names, actors, client } = await this.desk.checkStillAgreed(id, person, version);
        extendDeadline(thirdPartyTimeoutMs);
        const tokens = await this.trips.redeem(provider, trip, request);
        const connection = {
          owner: person,
          tenant: defaultTenant,
          providerId,
          resource: provider.resources[0],
          tokens,
        };
        // The code is used up: what it was good for is not given up halfway.
        await outsideDeadline(async () => {
          await connectAccount(connection, { vault: this.vault, ended: this.ended });
          await this.desk.complete(id, person, version);
        });
        const asker = who(names, actors[0] ?? client);
        sendPage(response, resultPage('completed', { asker, provider: provider.name, connectionsUrl }));
      } catch (error) {
        if (error instanceof ElicitationRefusal)
          throw new OAuthError('access_denied', 'this was finished, or begun again, in another window', {
            cause: error,
          });
        if (!(error instanceof ThirdPartyError)) throw error;
        if (error.retryAfterSeconds !== undefined)
          response.set('Retry-After', String(error.retryAfterSeconds));
        sendPage(response, this.#failedPage(error, id, provider.name), statusOfFailure(error));
      }
    }

    /** The attack: the browser changed hands, or sign-ins, while the person was away. */
    async #checkSamePerson(request: Request, { person }: ProviderTrip): Promise<void> {
      const session = await this.sessions.of(request);
      if (session !== undefined && session.sub !== person)
        throw new OAuthError('access_denied', 'somebody else has signed in since this was begun');
    }

    /** Nothing is lost: as long as its time lasts, the link can be opened again. */
    #failedPage({ problem }: ThirdPartyError, id: string, provider: string) {
      const why =
        problem === 'denied'
          ? `You did not agree at ${provider}`
          : `${provider} did not answer as it should, so nothing was connected`;
      const again = `${this.config.publicUrl}${this.config.paths.connect}?e=${id}`;
      return refusedPage(why, html`<p><a href="${again}">Look at the request again</a></p>`);
    }
  }
  return CallbackController;
}
