import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import {
  type ConnectionHealth,
  type EndedConnection,
  type connectionHealthListSchema,
  type endedConnectionListSchema,
  offBoardRequestSchema,
  plantDecoyRequestSchema,
  type rewrapRunSchema,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG, readRequestBody } from '@behalf/service-kit';
import {
  type Disconnected,
  type VaultOperator,
  type WatchedConnection,
  connectionStatuses,
} from '@behalf/vault';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  type Type,
} from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import type { ElicitationServiceConfig } from '../config.js';
import { EndedAccounts } from '../ended-accounts.js';
import { ProviderCatalog } from '../provider-catalog.js';
import { VAULT_OPERATOR } from '../tokens.js';
import { AdminAuthorization } from './admin-authorization.js';
import { vaultOpenApi } from './vault-openapi.js';

const limits = { maxBytes: 64 * 1024, maxDepth: 8 };
const listQuerySchema = z.strictObject({
  person: z.string().optional(),
  provider: z.string().optional(),
  status: z.enum(connectionStatuses).optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** What operators call to look after the vault. Whatever they change is in the audit log before it is done. */
export function vaultAdminController({ admin }: ElicitationServiceConfig['paths']): Type {
  @Controller(admin)
  class VaultAdminController {
    constructor(
      @Inject(CONFIG) private readonly config: BehalfConfig,
      @Inject(CLOCK) private readonly clock: Clock,
      @Inject(AUDIT_LOG) private readonly audit: AuditLog,
      @Inject(AdminAuthorization) private readonly admins: AdminAuthorization,
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
      @Inject(EndedAccounts) private readonly accounts: EndedAccounts,
      @Inject(VAULT_OPERATOR) private readonly vault: VaultOperator,
    ) {}

    @Get('connections')
    @Header('Cache-Control', 'no-store')
    async list(
      @Req() request: Request,
      @Query() query: unknown,
    ): Promise<z.output<typeof connectionHealthListSchema>> {
      await this.#administrator(request);
      const parsed = listQuerySchema.safeParse(query);
      if (!parsed.success) throw new OAuthError('invalid_request', 'the query is malformed');
      const { person: owner, provider: providerId, limit, ...rest } = parsed.data;
      const found = await this.vault.list({ owner, providerId, limit, ...rest });
      const next = found.length === limit ? found.at(-1)?.id : undefined;
      return { connections: found.map(healthOf), ...(next !== undefined && { next }) };
    }

    @Post('connections/:id/disconnect')
    @HttpCode(200)
    async disconnect(@Req() request: Request, @Param('id') id: string): Promise<EndedConnection> {
      await this.#record(await this.#administrator(request), { change: 'disconnect', connection: id });
      const done = await this.vault.disconnect(id);
      if (!done) throw notFound('there is no such connection');
      return endedOf(done);
    }

    @Post('people/off-board')
    @HttpCode(200)
    async offBoard(@Req() request: Request): Promise<z.output<typeof endedConnectionListSchema>> {
      const by = await this.#administrator(request);
      const { person } = await readRequestBody(request, offBoardRequestSchema, limits);
      await this.#record(by, { change: 'off-board' }, person);
      const ended = await this.vault.offBoard(person);
      // Also what they were asked about accounts that they never connected.
      await this.accounts.closePerson(person, 'person_offboarded');
      return { ended: ended.map(endedOf) };
    }

    @Post('providers/:provider/end')
    @HttpCode(200)
    async endProvider(
      @Req() request: Request,
      @Param('provider') providerId: string,
    ): Promise<z.output<typeof endedConnectionListSchema>> {
      const by = await this.#administrator(request);
      await this.#record(by, { change: 'end-provider', provider: providerId });
      if (!this.providers.find(providerId)) throw notFound('there is no such provider');
      const ended = await this.vault.endProvider(providerId);
      return { ended: ended.map((one) => ({ ...one, providerId, atProvider: 'ended_there' as const })) };
    }

    @Post('decoys')
    async plantDecoy(@Req() request: Request): Promise<{ id: string }> {
      const by = await this.#administrator(request);
      const { person: owner, ...decoy } = await readRequestBody(request, plantDecoyRequestSchema, limits);
      // Which one it is stays between us: a thief may read the audit log as well.
      await this.#record(by, { change: 'plant-decoy', provider: decoy.providerId });
      const id = await this.vault.plantDecoy({ owner, ...decoy });
      if (id === undefined)
        throw new OAuthError(
          'invalid_request',
          'the provider is not known, or the person is connected there',
          {
            status: 409,
          },
        );
      return { id };
    }

    @Post('rewrap')
    @HttpCode(200)
    async rewrap(@Req() request: Request): Promise<z.output<typeof rewrapRunSchema>> {
      await this.#record(await this.#administrator(request), { change: 'rewrap' });
      const { keyId, moved, failed, startedAtMs, finishedAtMs } = await this.vault.rewrap();
      return { keyId, moved, failed, startedAtMs, ...(finishedAtMs !== undefined && { finishedAtMs }) };
    }

    /** Public: it says how to ask, and nothing about this deployment but its address. */
    @Get('openapi.json')
    @Header('Cache-Control', 'public, max-age=300')
    describe(): object {
      const { elicitation, authorizationServer } = this.config;
      return vaultOpenApi({
        url: `${elicitation.publicUrl}${admin}`,
        resource: elicitation.publicUrl,
        tokenUrl: `${authorizationServer.issuer}${authorizationServer.paths.token}`,
      });
    }

    async #administrator(request: Request): Promise<string> {
      if (!request.res) throw new Error('a request without a response');
      return (await this.admins.check(request, request.res)).client_id;
    }

    /** Before it is done: what cannot be recorded does not happen. */
    #record(client: string, details: Record<string, string>, person?: string): Promise<void> {
      const occurredAtMs = this.clock.nowMs();
      const about = person === undefined ? {} : { person };
      return this.audit.append({
        type: 'vault-change',
        outcome: 'allowed',
        occurredAtMs,
        client,
        ...about,
        details,
      });
    }
  }
  return VaultAdminController;
}

function healthOf({ id, value, lastUse }: WatchedConnection): ConnectionHealth {
  const { owner, providerId, resource, scopes, status, reason, createdAtMs, statusSinceMs } = value;
  const { accessTokenExpiresAtMs, isRefreshable, refresh } = value;
  return {
    id,
    owner,
    providerId,
    resource,
    scopes,
    status,
    createdAtMs,
    statusSinceMs,
    isRefreshable,
    refreshFailures: refresh?.failures ?? 0,
    ...(reason !== undefined && { reason }),
    ...(accessTokenExpiresAtMs !== undefined && { accessTokenExpiresAtMs }),
    ...(refresh !== undefined && refresh.notBeforeMs > 0 && { nextRefreshAtMs: refresh.notBeforeMs }),
    ...(lastUse && { lastUsedAtMs: lastUse.usedAtMs, lastUsedBy: lastUse.actors[0] ?? lastUse.clientId }),
  };
}

function endedOf({ connection: { id, owner, providerId }, atProvider }: Disconnected): EndedConnection {
  return { id, owner, providerId, atProvider };
}

function notFound(description: string): OAuthError {
  return new OAuthError('invalid_request', description, { status: 404 });
}
