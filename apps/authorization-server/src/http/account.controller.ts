import { listSessions, type ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { listGrants } from '@behalf/delegation-grants';
import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { CLOCK, CONFIG, RECORD_STORE, sendPage } from '@behalf/service-kit';
import { Controller, Get, Inject, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { AccountForms } from '../account/account-forms.js';
import { listApplications } from '../account/list-applications.js';
import type { PersonSessions } from '../account/person-sessions.js';
import type { ClientDirectory } from '../delegation/client-directory.js';
import { describeGrant } from '../delegation/describe-grant.js';
import { accountPage } from '../pages/account-page.js';
import type { ProviderHolder } from '../provider-holder.js';
import {
  ACCOUNT_FORMS,
  CLIENT_DIRECTORY,
  PERSON_SESSIONS,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
} from '../tokens.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

const maxListed = 100;

/** Where people see who may act for them. */
@Controller()
@UseFilters(SignInErrorFilter)
export class AccountController {
  readonly #url: string;

  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(PERSON_SESSIONS) private readonly sessions: PersonSessions,
    @Inject(ACCOUNT_FORMS) private readonly forms: AccountForms,
    @Inject(CLIENT_DIRECTORY) private readonly directory: ClientDirectory,
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
      csrf: this.forms.code(person),
      sessions: (await listSessions(this.records, person.sub)).map((session) => ({
        signedInAtMs: session.signedInAtMs,
        isThisOne: session.uid === person.sessionUid,
      })),
      endSessionsAction: `${this.#url}/sessions/end`,
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
}
