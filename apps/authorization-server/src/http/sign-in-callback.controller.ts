import type { AuditLog } from '@behalf/audit';
import { resolveUpstreamPerson } from '@behalf/adapter-oidc-provider';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, type Logger, LOGGER, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { errorPage } from '../pages/message-pages.js';
import type { ProviderHolder } from '../provider-holder.js';
import type { UpstreamIdentity, UpstreamSignIn } from '../sign-in/upstream-sign-in.js';
import { PROVIDER_HOLDER, UPSTREAM_SIGN_IN } from '../tokens.js';
import { sendPage } from './send-page.js';

/** Where the upstream sends people back to. */
@Controller()
export class SignInCallbackController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(UPSTREAM_SIGN_IN) private readonly upstream: UpstreamSignIn | undefined,
  ) {}

  @Get()
  async callback(@Req() request: Request, @Res() response: Response): Promise<void> {
    try {
      if (!this.upstream) throw new OAuthError('access_denied', 'people sign in here themselves');
      const identity = await this.upstream.finish(request, response);
      const returnTo = await this.#signIn(identity);
      response.set('Cache-Control', 'no-store').redirect(303, returnTo);
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      this.logger.warn({ err: error.cause ?? error }, 'upstream sign-in refused');
      await this.#record({ type: 'sign-in', outcome: 'refused' });
      sendPage(response, errorPage(error.toJSON()), error.status);
    }
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
