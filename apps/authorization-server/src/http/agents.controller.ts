import {
  addKey,
  addSecret,
  type AgentDependencies,
  AgentRefusal,
  agentRefusalToOAuthError,
  buildAgentId,
  createAgent,
  getAgent,
  listAgents,
  removeKey,
  removeSecret,
  resumeAgent,
  retireAgent,
  suspendAgent,
  type Target,
  updateAgent,
} from '@behalf/agent-identity';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import {
  addAgentKeyRequestSchema,
  type Agent,
  agentListSchema,
  type agentSecretSchema,
  agentStates,
  changeAgentStateRequestSchema,
  createAgentRequestSchema,
  updateAgentRequestSchema,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { AUDIT_LOG, CLOCK, CONFIG } from '@behalf/service-kit';
import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { ADMIN_AUTHORIZATION, AGENT_DEPENDENCIES } from '../tokens.js';
import type { AdminAuthorization } from './admin-authorization.js';
import { entityTag, readIfMatch } from './entity-tag.js';
import { readRequest } from './read-request.js';

const listQuerySchema = z.strictObject({
  state: z.enum(agentStates).optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

type StateChange = typeof suspendAgent;

/** What operators call to say which agents there are and what they may. An agent in a path is its slug or its id. */
@Controller('agents')
export class AgentsController {
  constructor(
    @Inject(CONFIG) private readonly config: BehalfConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(ADMIN_AUTHORIZATION) private readonly admins: AdminAuthorization,
    @Inject(AGENT_DEPENDENCIES) private readonly agents: AgentDependencies,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async list(@Req() request: Request, @Query() query: unknown): Promise<z.output<typeof agentListSchema>> {
    await this.admins.check(request);
    const parsed = listQuerySchema.safeParse(query);
    if (!parsed.success) throw new OAuthError('invalid_request', 'the query is malformed');
    return listAgents(this.agents.records, parsed.data);
  }

  @Post()
  @HttpCode(201)
  async create(@Req() request: Request): Promise<Agent> {
    const { issuer, paths } = this.config.authorizationServer;
    const agent = await this.#change(request, 'create', (by, nowMs) =>
      readRequest(request, createAgentRequestSchema).then((wanted) =>
        createAgent(wanted, { by, nowMs }, this.agents),
      ),
    );
    request.res?.location(`${issuer}${paths.admin}/agents/${encodeURIComponent(agent.id)}`);
    return agent;
  }

  @Get(':agent')
  async show(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    await this.admins.check(request);
    return this.#answer(
      request,
      await getAgent(this.agents.records, this.#target(request, agent).id).catch(refuse),
    );
  }

  @Patch(':agent')
  async update(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    return this.#change(request, 'update', async (by, nowMs) => {
      const target = this.#target(request, agent);
      if (request.headers['if-match'] === undefined) {
        // RFC 6585 §3. Without it the later of two administrators undoes what the earlier did, and neither knows.
        throw new OAuthError('invalid_request', 'If-Match is required', { status: 428 });
      }
      const changes = await readRequest(request, updateAgentRequestSchema);
      return updateAgent(target, changes, { by, nowMs }, this.agents);
    });
  }

  @Post(':agent/keys')
  @HttpCode(200)
  async addKey(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    return this.#change(request, 'add-key', async (by, nowMs) => {
      const { key } = await readRequest(request, addAgentKeyRequestSchema);
      return addKey(this.#target(request, agent), key, { by, nowMs }, this.agents);
    });
  }

  @Delete(':agent/keys/:kid')
  async removeKey(
    @Req() request: Request,
    @Param('agent') agent: string,
    @Param('kid') kid: string,
  ): Promise<Agent> {
    return this.#change(request, 'remove-key', (by, nowMs) =>
      removeKey(this.#target(request, agent), kid, { by, nowMs }, this.agents),
    );
  }

  @Post(':agent/secrets')
  async addSecret(
    @Req() request: Request,
    @Param('agent') agent: string,
  ): Promise<z.output<typeof agentSecretSchema>> {
    let issued: z.output<typeof agentSecretSchema> | undefined;
    await this.#change(request, 'add-secret', async (by, nowMs) => {
      const added = await addSecret(this.#target(request, agent), { by, nowMs }, this.agents);
      issued = { id: added.id, clientSecret: added.clientSecret };
      return added.agent;
    });
    if (!issued) throw new Error('no secret was made');
    return issued;
  }

  @Delete(':agent/secrets/:id')
  async removeSecret(
    @Req() request: Request,
    @Param('agent') agent: string,
    @Param('id') id: string,
  ): Promise<Agent> {
    return this.#change(request, 'remove-secret', (by, nowMs) =>
      removeSecret(this.#target(request, agent), id, { by, nowMs }, this.agents),
    );
  }

  @Post(':agent/suspend')
  @HttpCode(200)
  async suspend(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    return this.#changeState(request, agent, 'suspend', suspendAgent);
  }

  @Post(':agent/resume')
  @HttpCode(200)
  async resume(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    return this.#changeState(request, agent, 'resume', resumeAgent);
  }

  @Post(':agent/retire')
  @HttpCode(200)
  async retire(@Req() request: Request, @Param('agent') agent: string): Promise<Agent> {
    return this.#changeState(request, agent, 'retire', retireAgent);
  }

  #changeState(request: Request, agent: string, change: string, command: StateChange): Promise<Agent> {
    return this.#change(request, change, async (by, nowMs) => {
      // Whoever stops an agent in a hurry need not say why.
      const isEmpty = request.headers['content-type'] === undefined;
      const { reason } = isEmpty ? {} : await readRequest(request, changeAgentStateRequestSchema);
      return command(this.#target(request, agent), reason, { by, nowMs }, this.agents);
    });
  }

  /** One administrative change: who may, the change, the audit record, the answer with its version. */
  async #change(
    request: Request,
    change: string,
    run: (by: string, nowMs: number) => Promise<Agent>,
  ): Promise<Agent> {
    const { client_id: client } = await this.admins.check(request);
    const nowMs = this.clock.nowMs();
    const record = { type: 'agent-change', occurredAtMs: nowMs, client };
    const agent = await run(client, nowMs).catch(async (error: unknown) => {
      const reason = error instanceof AgentRefusal ? error.reason.kind : undefined;
      if (reason !== undefined) {
        await this.audit.append({ ...record, outcome: 'refused', details: { change, reason } });
      }
      return refuse(error);
    });
    const { id, version, state } = agent;
    await this.audit.append({
      ...record,
      outcome: 'allowed',
      details: { change, agent: id, version, state },
    });
    return this.#answer(request, agent);
  }

  #answer(request: Request, agent: Agent): Agent {
    request.res?.set({ ETag: entityTag(agent.version), 'Cache-Control': 'no-store' });
    return agent;
  }

  #target(request: Request, agent: string): Target {
    return {
      id: agent.includes(':') ? agent : buildAgentId(agent, this.agents),
      expectedVersion: readIfMatch(request.headers['if-match']),
    };
  }
}

function refuse(error: unknown): never {
  throw error instanceof AgentRefusal ? agentRefusalToOAuthError(error.reason) : error;
}
