import {
  endSessions,
  findConsent,
  forgetConsent,
  revocationLifetimeSeconds,
  revokeGrant as endConsent,
  transact,
} from '@behalf/adapter-oidc-provider';
import type { AuditLog, AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import {
  type DelegationDependencies,
  DelegationRefusal,
  delegationRefusalToOAuthError,
  revokeGrant,
} from '@behalf/delegation-grants';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, RECORD_STORE, sendPage } from '@behalf/service-kit';
import { Controller, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { AccountForms } from '../account/account-forms.js';
import type { PersonSessions } from '../account/person-sessions.js';
import { signedOutPage } from '../pages/message-pages.js';
import { ACCOUNT_FORMS, DELEGATION, PERSON_SESSIONS } from '../tokens.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

/** Takes what people end on the page where they see who may act for them. */
@Controller()
@UseFilters(SignInErrorFilter)
export class AccountChangesController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(PERSON_SESSIONS) private readonly sessions: PersonSessions,
    @Inject(ACCOUNT_FORMS) private readonly forms: AccountForms,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {}

  @Post('grants/:id/revoke')
  async revoke(@Req() request: Request, @Res() response: Response, @Param('id') id: string): Promise<void> {
    const { person } = await this.forms.read(request, response);
    const act = { by: { person: person.sub }, nowMs: this.clock.nowMs() };
    await revokeGrant({ id }, act, this.delegation).catch((error: unknown) => {
      throw error instanceof DelegationRefusal ? delegationRefusalToOAuthError(error.reason) : error;
    });
    this.#back(response);
  }

  @Post('applications/remove')
  async removeApplication(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { person, form } = await this.forms.read(request, response);
    const clientId = form.get('client') ?? '';
    const when = this.#when();
    await transact(this.records, async (transaction) => {
      const consent = await findConsent(transaction, person.sub, clientId);
      if (!consent) return;
      await endConsent(transaction, consent.grantId, when);
      await forgetConsent(transaction, consent);
      const details = { kind: 'grant', grant_id: consent.grantId };
      await this.#record({ person: person.sub, client: clientId, details }, when);
    });
    this.#back(response);
  }

  @Post('sessions/end')
  async endSessions(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { person } = await this.forms.read(request, response);
    const when = this.#when();
    await transact(this.records, async (transaction) => {
      const ended = await endSessions(transaction, person.sub, when);
      await this.#record({ person: person.sub, details: { kind: 'session', count: ended.length } }, when);
    });
    sendPage(response, signedOutPage());
  }

  #when(): { nowMs: number; lifetimeSeconds: number } {
    return { nowMs: this.clock.nowMs(), lifetimeSeconds: revocationLifetimeSeconds(this.config) };
  }

  /** Inside the transaction: what cannot be recorded does not happen. */
  #record(
    record: Pick<AuditRecord, 'person' | 'client' | 'details'>,
    { nowMs }: { nowMs: number },
  ): Promise<void> {
    return this.audit.append({ type: 'revocation', outcome: 'allowed', occurredAtMs: nowMs, ...record });
  }

  #back(response: Response): void {
    response.redirect(303, `${this.sessions.urlOf({ page: 'account' })}?ended`);
  }
}
