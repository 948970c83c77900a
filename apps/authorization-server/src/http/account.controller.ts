import {
  findConsent,
  forgetConsent,
  type ResourceRegistry,
  revocationLifetimeSeconds,
  revokeGrant as endConsent,
  transact,
} from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import {
  type DelegationDependencies,
  DelegationRefusal,
  delegationRefusalToOAuthError,
  listGrants,
  revokeGrant,
} from '@behalf/delegation-grants';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, readFormBody, RECORD_STORE } from '@behalf/service-kit';
import { Controller, Get, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { listApplications } from '../account/list-applications.js';
import type { PersonSessions, SignedInPerson } from '../account/person-sessions.js';
import type { ClientDirectory } from '../delegation/client-directory.js';
import { describeGrant } from '../delegation/describe-grant.js';
import { accountPage } from '../pages/account-page.js';
import type { ProviderHolder } from '../provider-holder.js';
import {
  CLIENT_DIRECTORY,
  DELEGATION,
  FORM_GUARD,
  PERSON_SESSIONS,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
} from '../tokens.js';
import type { FormGuard } from './form-guard.js';
import { PageErrorFilter } from './page-error.filter.js';
import { sendPage } from './send-page.js';

const maxListed = 100;

/** Where people see who may act for them, and end it. */
@Controller()
@UseFilters(PageErrorFilter)
export class AccountController {
  readonly #url: string;

  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(PERSON_SESSIONS) private readonly sessions: PersonSessions,
    @Inject(FORM_GUARD) private readonly guard: FormGuard,
    @Inject(CLIENT_DIRECTORY) private readonly directory: ClientDirectory,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {
    const { issuer, paths } = config.authorizationServer;
    this.#url = `${issuer}${paths.account}`;
  }

  @Get()
  async show(
    @Req() request: Request,
    @Res() response: Response,
    @Query('ended') ended?: string,
  ): Promise<void> {
    const person = await this.sessions.find(request, response);
    if (!person) return this.sessions.signIn({ page: 'account' }, response);
    const nowMs = this.clock.nowMs();
    const filter = { person: person.sub, state: 'active', limit: maxListed } as const;
    const { grants } = await listGrants(this.records, filter, nowMs);
    const words = { directory: this.directory, resources: this.resources, config: this.config };
    const active = grants.filter(({ state }) => state === 'active');
    const page = accountPage({
      personName: person.name,
      signOutUrl: this.sessions.signOutUrl,
      csrf: this.#formCode(person),
      delegations: await Promise.all(
        active.map(async (grant) => ({
          ...(await describeGrant(grant, words)),
          id: grant.id,
          sinceMs: grant.createdAtMs,
          untilMs: grant.expiresAtMs,
          lastUsedAtMs: grant.lastUsedAtMs,
          action: `${this.#url}/grants/${grant.id}/revoke`,
        })),
      ),
      applications: await listApplications(person.sub, {
        records: this.records,
        provider: this.holder.current,
        directory: this.directory,
        config: this.config.authorizationServer,
        nameOf: (resource) => this.resources.find(resource)?.name ?? resource,
      }),
      removeApplicationAction: `${this.#url}/applications/remove`,
      hasEnded: ended !== undefined,
    });
    sendPage(response, page);
  }

  /** Where a sign-in for our own pages ends. Nothing in the query is believed but which of them it was for. */
  @Get('signed-in')
  async signedIn(
    @Req() request: Request,
    @Res() response: Response,
    @Query('state') state: unknown,
  ): Promise<void> {
    // Who is not signed in now has said no, or keeps no cookies: sending them round again would never end.
    if (!(await this.sessions.find(request, response)))
      throw new OAuthError('access_denied', 'nobody has signed in');
    response
      .set('Cache-Control', 'no-store')
      .redirect(303, this.sessions.urlOf(this.sessions.readState(state)));
  }

  @Post('grants/:id/revoke')
  async revoke(@Req() request: Request, @Res() response: Response, @Param('id') id: string): Promise<void> {
    const { person } = await this.#readForm(request, response);
    const act = { by: { person: person.sub }, nowMs: this.clock.nowMs() };
    await revokeGrant({ id }, act, this.delegation).catch((error: unknown) => {
      throw error instanceof DelegationRefusal ? delegationRefusalToOAuthError(error.reason) : error;
    });
    response.redirect(303, `${this.#url}?ended`);
  }

  @Post('applications/remove')
  async removeApplication(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { person, form } = await this.#readForm(request, response);
    const clientId = form.get('client') ?? '';
    const nowMs = this.clock.nowMs();
    const lifetimeSeconds = revocationLifetimeSeconds(this.config);
    await transact(this.records, async (transaction) => {
      const consent = await findConsent(transaction, person.sub, clientId);
      if (!consent) return;
      const { grantId } = consent;
      await endConsent(transaction, grantId, { nowMs, lifetimeSeconds });
      await forgetConsent(transaction, consent);
      await this.audit.append({
        type: 'revocation',
        outcome: 'allowed',
        occurredAtMs: nowMs,
        person: person.sub,
        client: clientId,
        details: { kind: 'grant', grant_id: grantId },
      });
    });
    response.redirect(303, `${this.#url}?ended`);
  }

  /** @throws OAuthError `access_denied` unless the person sent it from this page */
  async #readForm(
    request: Request,
    response: Response,
  ): Promise<{ person: SignedInPerson; form: Map<string, string> }> {
    const person = await this.sessions.find(request, response);
    if (!person) throw new OAuthError('access_denied', 'your sign-in is over; open the page again');
    const form = await readFormBody(request);
    this.guard.check(request, form, bindingOf(person));
    return { person, form };
  }

  #formCode(person: SignedInPerson): string {
    return this.guard.code(bindingOf(person));
  }
}

function bindingOf({ sub, sessionUid }: SignedInPerson) {
  return { uid: sub, prompt: 'account', sessionUid };
}
