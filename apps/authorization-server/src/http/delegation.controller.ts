import type { ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import {
  decideRequest,
  type DelegationDependencies,
  DelegationRefusal,
  delegationRefusalToOAuthError,
  findRequestFor,
} from '@behalf/delegation-grants';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { CLOCK, CONFIG, readFormBody, sendPage } from '@behalf/service-kit';
import { Controller, Get, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { PersonSessions, SignedInPerson } from '../account/person-sessions.js';
import type { ClientDirectory } from '../delegation/client-directory.js';
import { describeGrant } from '../delegation/describe-grant.js';
import { anotherPersonPage, delegationDecidedPage, delegationPage } from '../pages/delegation-pages.js';
import { CLIENT_DIRECTORY, DELEGATION, FORM_GUARD, PERSON_SESSIONS, RESOURCE_REGISTRY } from '../tokens.js';
import type { FormBinding, FormGuard } from './form-guard.js';
import { SignInErrorFilter } from './sign-in-error.filter.js';

const requestId = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Where a person decides whether an agent may act for them. The link an agent hands over says nothing and opens
 * nothing: who opens it signs in, and is asked only if the request was made for them.
 */
@Controller()
@UseFilters(SignInErrorFilter)
export class DelegationController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RESOURCE_REGISTRY) private readonly resources: ResourceRegistry,
    @Inject(PERSON_SESSIONS) private readonly sessions: PersonSessions,
    @Inject(FORM_GUARD) private readonly guard: FormGuard,
    @Inject(CLIENT_DIRECTORY) private readonly directory: ClientDirectory,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {}

  @Get(':id')
  async show(@Req() request: Request, @Res() response: Response, @Param('id') id: string): Promise<void> {
    if (!requestId.test(id)) throw notFound();
    const person = await this.sessions.find(request, response);
    // Before anything is looked up: a stranger does not learn which links exist.
    if (!person) return this.sessions.signIn({ page: 'delegation', id }, response);
    const nowMs = this.clock.nowMs();
    const { records } = this.delegation;
    const asked = await findRequestFor(records, { id, person: person.sub }, nowMs).catch((error: unknown) =>
      this.#refuse(error, person, response),
    );
    if (!asked) return;
    if (asked.state !== 'pending')
      return sendPage(response, delegationDecidedPage(asked.state, this.sessions.urlOf({ page: 'account' })));
    const words = { directory: this.directory, resources: this.resources, config: this.config };
    const page = delegationPage({
      ...(await describeGrant(asked, words)),
      action: this.sessions.urlOf({ page: 'delegation', id }),
      csrf: this.guard.code(bindingOf(id, person)),
      personName: person.name,
      grantUntilMs: nowMs + asked.grantLifetimeSeconds * 1000,
    });
    sendPage(response, page);
  }

  @Post(':id')
  async decide(@Req() request: Request, @Res() response: Response, @Param('id') id: string): Promise<void> {
    const person = await this.sessions.find(request, response);
    if (!person) throw new OAuthError('access_denied', 'your sign-in is over; open the link again');
    const form = await readFormBody(request);
    this.guard.check(request, form, bindingOf(id, person));
    // Anything but "allow" is a no.
    const decision = { id, person: person.sub, isApproved: form.get('decision') === 'allow' };
    const nowMs = this.clock.nowMs();
    const decided = await decideRequest(decision, nowMs, this.delegation).then(
      () => true,
      (error: unknown) => this.#refuse(error, person, response),
    );
    if (!decided) return;
    const state = decision.isApproved ? 'approved' : 'denied';
    sendPage(response, delegationDecidedPage(state, this.sessions.urlOf({ page: 'account' })));
  }

  /** Explains to another person why they cannot decide; throws everything else. */
  #refuse(error: unknown, { name: personName }: SignedInPerson, response: Response): undefined {
    if (!(error instanceof DelegationRefusal)) throw error;
    const { reason } = error;
    if (reason.kind === 'request_unknown') throw notFound();
    if (reason.kind !== 'request_of_another_person') throw delegationRefusalToOAuthError(reason);
    sendPage(response, anotherPersonPage({ personName, signOutUrl: this.sessions.signOutUrl }), 403);
    return undefined;
  }
}

function bindingOf(id: string, { sessionUid }: SignedInPerson): FormBinding {
  return { uid: id, prompt: 'delegation', sessionUid };
}

function notFound(): OAuthError {
  return new OAuthError('invalid_request', 'there is nothing at this link any more', { status: 404 });
}
