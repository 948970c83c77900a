import { accessRequestSubmissionSchema, approvalDecisionSchema } from '@behalf/contracts';
import { OAuthError, parseScope } from '@behalf/oauth';
import type { Approver } from '@behalf/policy';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { Controller, Get, Header, HttpCode, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AdminAuthentication, adminScope } from '../admin/admin-authentication.js';
import { readRequest } from '../admin/read-request.js';
import { AuthzenErrorFilter } from '../http/authzen-error.filter.js';
import { CallerAuthentication } from '../http/caller-authentication.js';
import { AccessRequestDesk } from './access-request-desk.js';

/** Callers without a token, where those are let in, share one name. */
const localCaller = 'local';

/**
 * Approval of single calls. Enforcement points ask and look up (`policy:evaluate`), people decide (`policy:approve` for
 * what is done in their own name, `policy:admin` for everybody).
 *
 * @see AuthZEN access request and approval profile, draft
 */
@Controller()
@UseFilters(AuthzenErrorFilter)
export class ApprovalController {
  constructor(
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
    @Inject(AdminAuthentication) private readonly people: AdminAuthentication,
    @Inject(AccessRequestDesk) private readonly desk: AccessRequestDesk,
  ) {}

  @Post('access/v1/access-request')
  @Header('Cache-Control', 'no-store')
  async submit(@Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const caller = (await this.callers.authenticate(request)) ?? localCaller;
    const submission = await readRequest(request, accessRequestSubmissionSchema);
    const { task, isNew } = await this.desk.submit(submission, caller, idempotencyKeyOf(request));
    response.status(isNew ? 201 : 200).set('Location', task.task.status_endpoint);
    return task;
  }

  @Get('access/v1/access-request/:id')
  @Header('Cache-Control', 'no-store')
  async status(@Req() request: Request, @Param('id') id: string) {
    const caller = (await this.callers.authenticate(request)) ?? localCaller;
    return found(await this.desk.status(id, caller));
  }

  @Get('approvals')
  @Header('Cache-Control', 'no-store')
  async list(@Req() request: Request) {
    return { requests: await this.desk.waitingFor(approverOf(await this.people.approver(request))) };
  }

  @Get('approvals/:id')
  @Header('Cache-Control', 'no-store')
  async show(@Req() request: Request, @Param('id') id: string) {
    return found(await this.desk.show(id, approverOf(await this.people.approver(request))));
  }

  @Post('approvals/:id')
  @HttpCode(200)
  async decide(@Req() request: Request, @Param('id') id: string) {
    const approver = approverOf(await this.people.approver(request));
    return this.desk.decide(id, await readRequest(request, approvalDecisionSchema), approver);
  }
}

/** @throws OAuthError `invalid_request` for a key that is too long, empty or given twice */
function idempotencyKeyOf(request: Request): string | undefined {
  const values = request.headersDistinct['idempotency-key'] ?? [];
  const [key] = values;
  if (key === undefined) return undefined;
  if (values.length > 1 || key === '' || key.length > 255)
    throw new OAuthError('invalid_request', 'the Idempotency-Key header is malformed');
  return key;
}

function approverOf({ sub, client_id, act, scope }: AccessTokenClaims): Approver {
  return {
    sub,
    clientId: client_id,
    isDelegated: act !== undefined,
    isAdministrator: parseScope(scope).has(adminScope),
  };
}

function found<T>(value: T | undefined): T {
  if (value === undefined)
    throw new OAuthError('invalid_request', 'there is no such request', { status: 404 });
  return value;
}
