import { ElicitationRefusal, statusAt } from '@behalf/elicitation';
import { OAuthError, leastScopes } from '@behalf/oauth';
import { type PersonSession, PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { Clock } from '@behalf/ports';
import { CLOCK, readFormBody, sendPage } from '@behalf/service-kit';
import { type Provider, type ThirdParties, ThirdPartyError } from '@behalf/third-party';
import { type Vault, defaultTenant } from '@behalf/vault';
import { Controller, Get, Inject, Post, Req, Res, type Type, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { connectAccount } from '../connect-account.js';
import { ElicitationDesk, type ShownElicitation } from '../elicitation-desk.js';
import { EndedAccounts } from '../ended-accounts.js';
import { connectPage } from '../pages/connect-page.js';
import { otherPersonPage, resultPage } from '../pages/result-pages.js';
import { who } from '../pages/who.js';
import { ProviderRoundTrip } from '../provider-round-trip.js';
import { THIRD_PARTIES, VAULT } from '../tokens.js';
import { ConnectErrorFilter } from './connect-error.filter.js';

const elicitationId = /^[0-9a-f-]{36}$/;

/**
 * Where a person decides about one elicitation. Only the person it was made for gets as far as the question, and only
 * the answer to the question leads to the provider.
 *
 * @see MCP 2026-07-28, client/elicitation, "Phishing"
 */
export function connectController({ connect }: ElicitationServiceConfig['paths']): Type {
  @Controller(connect)
  @UseFilters(ConnectErrorFilter)
  class ConnectController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(CLOCK) private readonly clock: Clock,
      @Inject(PersonSignIn) private readonly signIn: PersonSignIn,
      @Inject(PersonSessions) private readonly sessions: PersonSessions,
      @Inject(ElicitationDesk) private readonly desk: ElicitationDesk,
      @Inject(ProviderRoundTrip) private readonly trips: ProviderRoundTrip,
      @Inject(THIRD_PARTIES) private readonly thirdParties: ThirdParties,
      @Inject(VAULT) private readonly vault: Vault,
      @Inject(EndedAccounts) private readonly ended: EndedAccounts,
    ) {}

    @Get()
    async show(@Req() request: Request, @Res() response: Response): Promise<void> {
      const { e, switch: isSwitching } = request.query;
      const id = checkId(e);
      const session = await this.sessions.of(request);
      if (session === undefined || isSwitching !== undefined)
        return this.signIn.begin(`${connect}?e=${id}`, response, isSwitching !== undefined);
      try {
        this.#ask(response, id, session, await this.desk.show(id, session.sub));
      } catch (error) {
        await this.#explain(response, id, session, error);
      }
    }

    @Post()
    async decide(@Req() request: Request, @Res() response: Response): Promise<void> {
      const session = await this.sessions.of(request);
      if (session === undefined)
        throw new OAuthError('access_denied', 'your sign-in is over; open the link again');
      const form = await readFormBody(request);
      const id = checkId(form.get('e'));
      this.sessions.checkForm(request, form, session, id);
      const answer = form.get('answer');
      if (answer !== 'allow' && answer !== 'deny')
        throw new OAuthError('invalid_request', 'the answer is neither yes nor no');
      try {
        const shown = await this.desk.show(id, session.sub);
        if (answer === 'allow')
          return await this.#allow(response, id, session, shown, form.get('credential'));
        await this.desk.decline(id, session.sub);
        this.#tell(response, 'declined', shown);
      } catch (error) {
        await this.#explain(response, id, session, error);
      }
    }

    async #allow(
      response: Response,
      id: string,
      session: PersonSession,
      shown: ShownElicitation,
      credential: string | undefined,
    ): Promise<void> {
      const { provider, isConnected, elicitation } = shown;
      if (!isConnected && provider.kind === 'static') {
        const fault = await this.#storeCredential(session.sub, provider, elicitation.scopes, credential);
        if (fault !== undefined) return this.#ask(response, id, session, shown, fault);
      }
      const { version } = await this.desk.agree(id, session.sub);
      if (isConnected || provider.kind === 'static') {
        await this.desk.complete(id, session.sub, version);
        return this.#tell(response, 'completed', shown);
      }
      // All that the account has already stays: providers replace what was granted by what is granted now.
      const held = (await this.vault.find(session.sub, provider.resources[0]))?.scopes ?? [];
      const known = held.filter((scope) => Object.hasOwn(provider.scopes, scope));
      const scopes = leastScopes([...known, ...elicitation.scopes], provider.impliedScopes);
      const trip = { elicitation: id, version, person: session.sub, scopes };
      await this.trips.begin(provider, trip, response);
    }

    /** @returns why it cannot be used, in words for the page */
    async #storeCredential(
      owner: string,
      provider: Extract<Provider, { kind: 'static' }>,
      scopes: readonly string[],
      credential = '',
    ): Promise<string | undefined> {
      const { label } = provider.credential;
      // A header value: nothing that could end it.
      if (!/^[\x21-\x7e]{1,4096}$/.test(credential)) return `${label}: enter it without spaces.`;
      let account: string | undefined;
      try {
        ({ account } = await this.thirdParties.probeStaticCredential(provider, credential));
      } catch (error) {
        if (!(error instanceof ThirdPartyError) || !rejections.has(error.problem)) throw error;
        return `${provider.name} does not accept this. Check that it is whole, and that it has not run out.`;
      }
      const connection = {
        owner,
        tenant: defaultTenant,
        providerId: provider.id,
        resource: provider.resources[0],
        tokens: {
          accessToken: credential,
          tokenType: 'Bearer',
          expiresInSeconds: undefined,
          refreshToken: undefined,
          scopes,
          account,
          accountId: account,
          client: undefined,
        },
      };
      await connectAccount(connection, { vault: this.vault, ended: this.ended });
      return undefined;
    }

    #ask(
      response: Response,
      id: string,
      session: PersonSession,
      { elicitation, provider, isConnected }: ShownElicitation,
      error?: string,
    ): void {
      const page = connectPage({
        action: `${this.config.publicUrl}${connect}`,
        connectionsUrl: this.#connectionsUrl,
        csrf: this.sessions.formCode(session, id),
        id,
        viewer: viewerOf(session),
        elicitation,
        provider,
        isConnected,
        error,
      });
      sendPage(response, page, error === undefined ? 200 : 400);
    }

    #tell(
      response: Response,
      status: Parameters<typeof resultPage>[0],
      {
        elicitation: { names, actors, client },
        provider,
      }: Pick<ShownElicitation, 'elicitation' | 'provider'>,
    ): void {
      const asker = who(names, actors[0] ?? client);
      const page = resultPage(status, {
        asker,
        provider: provider.name,
        connectionsUrl: this.#connectionsUrl,
      });
      sendPage(response, page);
    }

    /** What is not a fault of ours is explained. */
    async #explain(response: Response, id: string, session: PersonSession, error: unknown): Promise<void> {
      if (!(error instanceof ElicitationRefusal)) throw error;
      if (error.reason.kind === 'other_person') {
        await this.desk.recordStranger(id, session.sub);
        const switchUrl = `${this.config.publicUrl}${connect}?e=${id}&switch=1`;
        return sendPage(response, otherPersonPage({ viewer: viewerOf(session), switchUrl }), 403);
      }
      if (error.reason.kind !== 'over') throw error;
      const { elicitation, provider } = await this.desk.past(id, session.sub);
      this.#tell(response, statusAt(elicitation, this.clock.nowMs()), { elicitation, provider });
    }

    get #connectionsUrl(): string {
      return `${this.config.publicUrl}${this.config.paths.connections}`;
    }
  }
  return ConnectController;
}

/** What says that the credential is bad, and not that the provider is away. */
const rejections: ReadonlySet<ThirdPartyError['problem']> = new Set(['invalid_grant', 'denied', 'refused']);

export function viewerOf({ sub, name }: PersonSession): string {
  return name === sub ? sub : `${name} (${sub})`;
}

function checkId(value: unknown): string {
  if (typeof value === 'string' && elicitationId.test(value)) return value;
  throw new OAuthError('invalid_request', 'this link is not complete', { status: 404 });
}
