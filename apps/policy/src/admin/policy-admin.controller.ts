import {
  candidateRequestSchema,
  publishRequestSchema,
  replayRequestSchema,
  rollbackRequestSchema,
  shadowRequestSchema,
  toolPinRequestSchema,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { extendDeadline } from '@behalf/ports';
import { Controller, Get, Header, HttpCode, Inject, Param, Post, Put, Req, UseFilters } from '@nestjs/common';
import type { Request } from 'express';
import { AuthzenErrorFilter } from '../http/authzen-error.filter.js';
import { AdminAuthentication } from './admin-authentication.js';
import { PolicyAdministration } from './policy-administration.js';
import { readRequest } from './read-request.js';

/** For tens of thousands of decisions, each opened and decided twice. */
const replayMs = 300_000;

/** What authors of policies and operators call: a token for this service with `policy:admin`, never an agent's. */
@Controller('admin/policy')
@UseFilters(AuthzenErrorFilter)
export class PolicyAdminController {
  constructor(
    @Inject(AdminAuthentication) private readonly admins: AdminAuthentication,
    @Inject(PolicyAdministration) private readonly policies: PolicyAdministration,
  ) {}

  @Get('bundles')
  @Header('Cache-Control', 'no-store')
  async list(@Req() request: Request) {
    await this.admins.administrator(request);
    return this.policies.list();
  }

  @Get('bundles/:version')
  @Header('Cache-Control', 'no-store')
  async bundle(@Req() request: Request, @Param('version') version: string) {
    await this.admins.administrator(request);
    const found = await this.policies.bundle(version);
    if (found === undefined)
      throw new OAuthError('invalid_request', 'there is no such bundle', { status: 404 });
    return found;
  }

  @Post('bundles')
  @HttpCode(200)
  async publish(@Req() request: Request) {
    const { sub } = await this.admins.administrator(request);
    return this.policies.publish(await readRequest(request, publishRequestSchema), sub);
  }

  @Post('rollback')
  @HttpCode(200)
  async rollBack(@Req() request: Request) {
    const { sub } = await this.admins.administrator(request);
    return this.policies.rollBack(await readRequest(request, rollbackRequestSchema), sub);
  }

  @Post('check')
  @HttpCode(200)
  async check(@Req() request: Request) {
    await this.admins.administrator(request);
    return this.policies.check(await readRequest(request, candidateRequestSchema));
  }

  /** What the candidate would change of the live bundle. */
  @Post('diff')
  @HttpCode(200)
  async diff(@Req() request: Request) {
    await this.admins.administrator(request);
    return this.policies.diff(await readRequest(request, candidateRequestSchema));
  }

  @Post('replay')
  @HttpCode(200)
  async replay(@Req() request: Request) {
    await this.admins.administrator(request);
    extendDeadline(replayMs);
    return this.policies.replay(await readRequest(request, replayRequestSchema));
  }

  @Get('shadow')
  @Header('Cache-Control', 'no-store')
  async shadow(@Req() request: Request) {
    await this.admins.administrator(request);
    return this.policies.shadowStatus();
  }

  @Put('shadow')
  async setShadow(@Req() request: Request) {
    const { sub } = await this.admins.administrator(request);
    return this.policies.setShadow(await readRequest(request, shadowRequestSchema), sub);
  }

  @Put('tool-pins')
  async pin(@Req() request: Request) {
    const { sub } = await this.admins.administrator(request);
    return this.policies.pin(await readRequest(request, toolPinRequestSchema), sub);
  }
}
