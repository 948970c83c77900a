import type { AuditLog } from '@behalf/audit';
import { resolveUpstreamPerson } from '@behalf/adapter-oidc-provider';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { ProviderHolder } from '../provider-holder.js';
import type { UpstreamIdentity, UpstreamSignIn } from '../sign-in/upstream-sign-in.js';
import { PROVIDER_HOLDER, UPSTREAM_SIGN_IN } from '../tokens.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

/** Where the upstream sends people back to. */
@Controller()
@UseFilters(SignInErrorFilter)
export class SignInCallbackController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(UPSTREAM_SIGN_IN) private readonly upstream: UpstreamSignIn | undefined,
  ) {}

  @Get()
  async callback(@Req() request: Request, @Res() response: Response): Promise<void> {
    if (!this.upstream) throw new OAuthError('invalid_request', 'people sign in here themselves');
    const returnTo = await this.upstream
      .finish(request, response)
      .then((identity) => this.#signIn(identity))
      .catch(async (error: unknown) => {
        await this.#record({ type: 'sign-in', outcome: 'refused' });
        throw error;
      });
    response.set('Cache-Control', 'no-store').redirect(303, returnTo);
  }

  async #signIn(identity: UpstreamIdentity): Promise<string> {
    // The library's own way needs the interaction's cookie, which is bound to another path. The resume cookie, which
    // this browser must still have, is checked by the library next.
    const interaction = await this.holder.current.Interaction.find(identity.uid);
    if (!interaction) throw new OAuthError('access_denied', 'this sign-in is over');
    const { name, groups } = identity;
    const sub = await resolveUpstreamPerson(this.records, identity, { name, groups });
    await this.#record({ type: 'sign-in', outcome: 'allowed', person: sub });
    interaction.result = { ...interaction.lastSubmission, login: { accountId: sub } };
    await interaction.persist();
    return interaction.returnTo;
  }

  #record(record: Omit<Parameters<AuditLog['append']>[0], 'occurredAtMs'>): Promise<void> {
    return this.audit.append({ ...record, occurredAtMs: this.clock.nowMs() });
  }
}
