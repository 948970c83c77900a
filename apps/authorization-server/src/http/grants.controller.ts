import type { BehalfConfig } from '@behalf/config';
import {
  createDelegationGrantRequestSchema,
  type DelegationGrant,
  type delegationGrantListSchema,
  narrowDelegationGrantRequestSchema,
} from '@behalf/contracts';
import {
  type Act,
  type DelegationDependencies,
  DelegationRefusal,
  delegationRefusalToOAuthError,
  getGrant,
  listGrants,
  makeGrant,
  narrowGrant,
  revokeGrant,
  type Target,
} from '@behalf/delegation-grants';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { CLOCK, CONFIG } from '@behalf/service-kit';
import { Controller, Get, Header, HttpCode, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { ADMIN_AUTHORIZATION, DELEGATION } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';
import { entityTag, readIfMatch } from './entity-tag.js';
import { readRequest } from './read-request.js';

const listQuerySchema = z.strictObject({
  person: z.string().optional(),
  agent: z.string().optional(),
  resource: z.string().optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** What operators call to say who may act for whom. What they do is in the audit log with who did it. */
@Controller('grants')
export class GrantsController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(DELEGATION) private readonly delegation: DelegationDependencies,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async list(
    @Req() request: Request,
    @Query() query: unknown,
  ): Promise<z.output<typeof delegationGrantListSchema>> {
    await this.admins.check(request);
    const parsed = listQuerySchema.safeParse(query);
    if (!parsed.success) throw new OAuthError('invalid_request', 'the query is malformed');
    return listGrants(this.delegation.records, parsed.data, this.clock.nowMs());
  }

  @Post()
  @HttpCode(201)
  async create(@Req() request: Request): Promise<DelegationGrant> {
    const { issuer, paths } = this.config.authorizationServer;
    const act = await this.#act(request);
    const wanted = await readRequest(request, createDelegationGrantRequestSchema);
    const made = makeGrant({ ...wanted, origin: 'administrator' }, act, this.delegation);
    const grant = await this.#answer(request, made);
    request.res?.location(`${issuer}${paths.admin}/grants/${grant.id}`);
    return grant;
  }

  @Get(':id')
  async show(@Req() request: Request, @Param('id') id: string): Promise<DelegationGrant> {
    await this.admins.check(request);
    return this.#answer(request, getGrant(this.delegation.records, id, this.clock.nowMs()));
  }

  @Patch(':id')
  async narrow(@Req() request: Request, @Param('id') id: string): Promise<DelegationGrant> {
    const act = await this.#act(request);
    const target = targetOf(request, id);
    if (request.headers['if-match'] === undefined)
      throw new OAuthError('invalid_request', 'If-Match is required', { status: 428 });
    const changes = await readRequest(request, narrowDelegationGrantRequestSchema);
    return this.#answer(request, narrowGrant(target, changes, act, this.delegation));
  }

  @Post(':id/revoke')
  @HttpCode(200)
  async revoke(@Req() request: Request, @Param('id') id: string): Promise<DelegationGrant> {
    const act = await this.#act(request);
    return this.#answer(request, revokeGrant(targetOf(request, id), act, this.delegation));
  }

  async #act(request: Request): Promise<Act> {
    const { client_id: administrator } = await this.admins.check(request);
    return { by: { administrator }, nowMs: this.clock.nowMs() };
  }

  async #answer(request: Request, pending: Promise<DelegationGrant>): Promise<DelegationGrant> {
    const grant = await pending.catch((error: unknown) => {
      throw error instanceof DelegationRefusal ? delegationRefusalToOAuthError(error.reason) : error;
    });
    request.res?.set({ ETag: entityTag(grant.version), 'Cache-Control': 'no-store' });
    return grant;
  }
}

function targetOf(request: Request, id: string): Target {
  return { id, expectedVersion: readIfMatch(request.headers['if-match']) };
}
