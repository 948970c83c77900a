import type { AuditLog } from '@behalf/audit';
import { consentRecords, withdrawConsent } from '@behalf/elicitation';
import { OAuthError } from '@behalf/oauth';
import { type PersonSession, PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, RECORD_STORE, readFormBody, sendPage } from '@behalf/service-kit';
import { type Vault } from '@behalf/vault';
import { Controller, Get, Inject, Post, Req, Res, type Type, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { EndedAccounts } from '../ended-accounts.js';
import { connectionsPage } from '../pages/connections-page.js';
import { ProviderCatalog } from '../provider-catalog.js';
import { VAULT } from '../tokens.js';
import { viewerOf } from './connect.controller.js';
import { ConnectErrorFilter } from './connect-error.filter.js';

/** What a person has connected, and who may use it: to look at, and to end. */
export function connectionsController({ connections }: ElicitationServiceConfig['paths']): Type {
  @Controller(connections)
  @UseFilters(ConnectErrorFilter)
  class ConnectionsController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(PersonSignIn) private readonly signIn: PersonSignIn,
      @Inject(PersonSessions) private readonly sessions: PersonSessions,
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
      @Inject(RECORD_STORE) private readonly records: RecordStore,
      @Inject(EndedAccounts) private readonly ended: EndedAccounts,
      @Inject(VAULT) private readonly vault: Vault,
      @Inject(CLOCK) private readonly clock: Clock,
      @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    ) {}

    @Get()
    async list(@Req() request: Request, @Res() response: Response): Promise<void> {
      const session = await this.sessions.of(request);
      if (session === undefined) return this.signIn.begin(connections, response);
      await this.#show(response, session);
    }

    @Post('disconnect')
    async disconnect(@Req() request: Request, @Res() response: Response): Promise<void> {
      const session = await this.sessions.of(request);
      if (session === undefined)
        throw new OAuthError('access_denied', 'your sign-in is over; open your connections again');
      const form = await readFormBody(request);
      const id = form.get('connection') ?? '';
      this.sessions.checkForm(request, form, session, `disconnect ${id}`);
      const done = await this.vault.disconnect(id, session.sub);
      if (!done) throw new OAuthError('invalid_request', 'there is no such connection', { status: 404 });
      const { providerId } = done.connection;
      await this.ended.close(session.sub, providerId, 'disconnected_by_owner');
      const name = this.providers.find(providerId)?.name ?? providerId;
      await this.#show(response, session, `${name} is disconnected. ${atProvider[done.atProvider]}`);
    }

    @Post('withdraw')
    async withdraw(@Req() request: Request, @Res() response: Response): Promise<void> {
      const session = await this.sessions.of(request);
      if (session === undefined)
        throw new OAuthError('access_denied', 'your sign-in is over; open your connections again');
      const form = await readFormBody(request);
      const id = form.get('consent') ?? '';
      this.sessions.checkForm(request, form, session, `withdraw ${id}`);
      const nowMs = this.clock.nowMs();
      const done = await withdrawConsent({ id, person: session.sub, nowMs }, this.records);
      if (!done) throw new OAuthError('invalid_request', 'nobody is allowed this any more', { status: 404 });
      const { provider, client, actors } = done.consent;
      await this.audit.append({
        type: 'elicitation',
        outcome: 'allowed',
        occurredAtMs: nowMs,
        person: session.sub,
        client,
        actors,
        details: { step: 'consent withdrawn', provider, cancelled: done.cancelled },
      });
      const name = this.providers.find(provider)?.name ?? provider;
      await this.#show(
        response,
        session,
        `${actors[0] ?? client} may not use your ${name} account any more.`,
      );
    }

    async #show(response: Response, session: PersonSession, notice?: string): Promise<void> {
      const all = await this.vault.list(session.sub);
      const consents = await this.records.list(consentRecords, { where: { person: session.sub } });
      const page = connectionsPage({
        viewer: viewerOf(session),
        connections: all
          .filter(({ status }) => status !== 'disconnected')
          .map((connection) => ({
            connection,
            provider: this.providers.find(connection.providerId),
            consents: consents.flatMap(({ id, value }) =>
              value.provider === connection.providerId
                ? [{ id, consent: value, csrf: this.sessions.formCode(session, `withdraw ${id}`) }]
                : [],
            ),
            csrf: this.sessions.formCode(session, `disconnect ${connection.id}`),
          })),
        url: `${this.config.publicUrl}${connections}`,
        notice,
      });
      sendPage(response, page);
    }
  }
  return ConnectionsController;
}

const atProvider = {
  revoked: 'It was ended at the provider, too.',
  unsupported: 'The provider offers no way to end it there: look at its settings, if you want to.',
  failed: 'The provider could not be told yet; it will be tried again for a week.',
} as const;
