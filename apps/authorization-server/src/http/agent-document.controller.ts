import { agentDocument, type AgentDependencies, buildAgentId, findAgent } from '@behalf/agent-identity';
import type { Agent } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { AGENT_DEPENDENCIES } from '../tokens.js';

const caching = 'public, max-age=60';

/**
 * What the id of an agent leads to: its client identifier metadata document, and its keys. Public, like the keys of the
 * issuer; who answers for an agent and what it may do is not in there.
 *
 * Only of active agents: another authorization server, which hears of no suspension, finds nothing here, either.
 *
 * @see draft-ietf-oauth-client-id-metadata-document
 */
@Controller()
export class AgentDocumentController {
  constructor(@Inject(AGENT_DEPENDENCIES) private readonly agents: AgentDependencies) {}

  @Get(':slug')
  @Header('Cache-Control', caching)
  @Header('Access-Control-Allow-Origin', '*')
  async document(@Param('slug') slug: string): Promise<object> {
    return agentDocument(await this.#find(slug));
  }

  @Get(':slug/jwks.json')
  @Header('Cache-Control', caching)
  @Header('Access-Control-Allow-Origin', '*')
  @Header('Content-Type', 'application/jwk-set+json')
  async keys(@Param('slug') slug: string): Promise<string> {
    const { jwks } = await this.#find(slug);
    if (!jwks) throw notFound();
    return JSON.stringify(jwks);
  }

  async #find(slug: string): Promise<Agent> {
    const agent = await findAgent(this.agents.records, buildAgentId(slug, this.agents));
    // Who has no keys can be known by nobody else.
    if (agent?.state !== 'active' || agent.credential) throw notFound();
    return agent;
  }
}

function notFound(): OAuthError {
  return new OAuthError('invalid_request', 'there is nothing at this path', { status: 404 });
}
