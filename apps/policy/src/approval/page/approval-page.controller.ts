import { OAuthError } from '@behalf/oauth';
import type { Approver } from '@behalf/policy';
import { type PersonSession, PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { Clock } from '@behalf/ports';
import { CLOCK, readFormBody, sendPage } from '@behalf/service-kit';
import { Controller, Get, Inject, Next, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { type PolicyServiceConfig } from '../../config.js';
import { POLICY_CONFIG } from '../../tokens.js';
import { AccessRequestDesk } from '../access-request-desk.js';
import { approvalPage, decidedPage } from './approval-pages.js';
import { waitingPage } from './waiting-page.js';
import { ApprovalErrorFilter } from './approval-error.filter.js';

const requestId = /^[0-9a-f-]{36}$/;

/**
 * Where people approve in a browser. They are known by having signed in here; tokens are for `ApprovalController`,
 * which answers on the same address whoever is not a browser.
 */
@Controller('approvals')
@UseFilters(ApprovalErrorFilter)
export class ApprovalPageController {
  constructor(
    @Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(AccessRequestDesk) private readonly desk: AccessRequestDesk,
    @Inject(PersonSignIn) private readonly signIn: PersonSignIn | undefined,
    @Inject(PersonSessions) private readonly sessions: PersonSessions,
  ) {}

  @Get('callback')
  async callback(@Req() request: Request, @Res() response: Response, @Next() next: NextFunction) {
    const { approvalPage: page } = this.config;
    if (this.signIn === undefined || page === undefined) return next();
    const { groups, returnTo: id, ...person } = await this.signIn.finish(request, response);
    const isApprover = groups.some((group) => page.approverGroups.includes(group));
    await this.sessions.begin({ ...person, roles: isApprover ? ['approver'] : [] }, response);
    const below = id === '' ? '' : `/${id}`;
    response.set('Cache-Control', 'no-store').redirect(303, `${this.config.publicUrl}/approvals${below}`);
  }

  /** What waits for whoever is signed in: about themselves, and for approvers about everybody. */
  @Get()
  async list(@Req() request: Request, @Res() response: Response, @Next() next: NextFunction) {
    if (this.signIn === undefined || !isBrowser(request)) return next();
    const session = await this.sessions.of(request);
    if (session === undefined) return this.signIn.begin('', response);
    const waiting = await this.desk.waitingFor(this.#approver(session));
    sendPage(
      response,
      waitingPage({
        viewer: viewerOf(session),
        waiting: waiting.map(({ id, request: asked }) => ({
          url: `${this.config.publicUrl}/approvals/${id}`,
          request: asked,
        })),
      }),
    );
  }

  @Get(':id')
  async show(
    @Req() request: Request,
    @Res() response: Response,
    @Next() next: NextFunction,
    @Param('id') id: string,
  ) {
    if (this.signIn === undefined || !isBrowser(request)) return next();
    if (!requestId.test(id)) throw notFound();
    const session = await this.sessions.of(request);
    if (session === undefined) return this.signIn.begin(id, response);
    const found = await this.desk.show(id, this.#approver(session));
    if (found === undefined) throw notFound();
    const { request: asked, evaluation } = found;
    const isOver = asked.state === 'pending' && asked.expiresAtMs <= this.clock.nowMs();
    if (asked.state !== 'pending' || isOver)
      return sendPage(response, decidedPage(isOver ? 'expired' : asked.state));
    const page = approvalPage({
      action: `${this.config.publicUrl}/approvals/${id}/decision`,
      csrf: this.sessions.formCode(session, id),
      viewer: viewerOf(session),
      request: asked,
      evaluation,
      mayApprove: asked.approval === 'human' || asked.person !== session.sub,
    });
    sendPage(response, page);
  }

  @Post(':id/decision')
  async decide(
    @Req() request: Request,
    @Res() response: Response,
    @Next() next: NextFunction,
    @Param('id') id: string,
  ) {
    if (this.signIn === undefined) return next();
    const session = await this.sessions.of(request);
    if (session === undefined)
      throw new OAuthError('access_denied', 'your sign-in is over; open the page of the request again');
    const form = await readFormBody(request);
    this.sessions.checkForm(request, form, session, id);
    const answer = form.get('answer');
    if (answer !== 'approve' && answer !== 'deny')
      throw new OAuthError('invalid_request', 'the answer is neither yes nor no');
    await this.desk.decide(id, { approve: answer === 'approve' }, this.#approver(session));
    sendPage(response, decidedPage(answer === 'approve' ? 'approved' : 'denied'));
  }

  /** A person who signed in, and no agent: no token can become one of these sessions. */
  #approver({ sub, roles }: PersonSession): Approver {
    const clientId = this.config.approvalPage?.clientId ?? '';
    return { sub, clientId, isDelegated: false, isAdministrator: roles.includes('approver') };
  }
}

function viewerOf({ name, sub }: PersonSession): string {
  return name === sub ? sub : `${name} (${sub})`;
}

function isBrowser(request: Request): boolean {
  return request.headers.authorization === undefined && request.accepts(['json', 'html']) === 'html';
}

function notFound(): OAuthError {
  return new OAuthError('invalid_request', 'there is no such request, or it is not yours to decide', {
    status: 404,
  });
}
