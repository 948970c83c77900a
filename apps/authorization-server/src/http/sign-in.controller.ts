import { savePerson } from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RateLimiter, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, RATE_LIMITER, RECORD_STORE, sendPage } from '@behalf/service-kit';
import { Controller, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { rateLimits, ratePurposes } from '../rate-limits.js';
import { signInPage } from '../pages/sign-in-page.js';
import { checkLocalPassword } from '../sign-in/local-sign-in.js';
import { INTERACTIONS } from '../tokens.js';
import type { Interaction, Interactions } from './interactions.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

/** Takes the local sign-in form, which only a demo configuration has. */
@Controller()
@UseFilters(SignInErrorFilter)
export class SignInController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(INTERACTIONS) private readonly interactions: Interactions,
    @Inject(RATE_LIMITER) private readonly rates: RateLimiter,
  ) {}

  @Post(':uid/sign-in')
  async signIn(@Param('uid') uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { signIn } = this.config.authorizationServer;
    if (signIn.method !== 'local') throw new OAuthError('invalid_request', 'there is no local sign-in');
    const interaction = await this.interactions.find(uid, request, response);
    const form = await this.interactions.readForm(request, interaction, 'login');
    const username = form.get('username') ?? '';
    const attempt = JSON.stringify([username, request.socket.remoteAddress]);

    const waitSeconds = await this.rates.tryAttempt(ratePurposes.password, attempt, rateLimits.password);
    if (waitSeconds !== undefined) {
      response.set('Retry-After', String(waitSeconds));
      return this.#ask(interaction, response, username, tooMany, 429);
    }
    const user = checkLocalPassword(signIn.users, username, form.get('password') ?? '');
    if (!user) return this.#ask(interaction, response, username, wrong, 401);

    await this.rates.forgive(ratePurposes.password, attempt);
    await savePerson(this.records, user.username, { name: user.name, groups: user.groups });
    await this.audit.append({
      type: 'sign-in',
      outcome: 'allowed',
      occurredAtMs: this.clock.nowMs(),
      person: user.username,
      client: interaction.clientId,
    });
    await this.interactions.finish(request, response, { login: { accountId: user.username, amr: ['pwd'] } });
  }

  /** Shows the form again. What was typed as a name may be a password, so it is not recorded. */
  async #ask(
    interaction: Interaction,
    response: Response,
    username: string,
    error: string,
    status: number,
  ): Promise<void> {
    await this.audit.append({
      type: 'sign-in',
      outcome: 'refused',
      occurredAtMs: this.clock.nowMs(),
      client: interaction.clientId,
    });
    const { clientName } = interaction;
    const page = { ...this.interactions.formOf(interaction, 'sign-in'), clientName, username, error };
    sendPage(response, signInPage(page), status);
  }
}

/** The same for an unknown name: nobody learns here who has an account. */
const wrong = 'The user name or the password is wrong.';
const tooMany = 'Too many attempts. Wait a little and try again.';
