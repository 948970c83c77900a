import type { ResourceRegistry } from '@behalf/adapter-oidc-provider';
import { type BehalfConfig, protectedResources } from '@behalf/config';
import { findGrant } from '@behalf/delegation-grants';
import { canonicalResource, parseScope } from '@behalf/oauth';
import type { RecordReader } from '@behalf/ports';
import { coversAudience } from '@behalf/token-exchange';
import { createHash } from 'node:crypto';
import type { ClientDirectory } from './client-directory.js';

/** A delegation that a person can give while they sign in. */
export interface OfferedDelegation {
  /** The field of the form that gives it. It names exactly this, so that what was not shown is not given. */
  field: string;
  agent: string;
  agentName: string;
  owner: string | undefined;
  purpose: string;
  resource: { name: string; identifier: string };
  scopes: string[];
}

/**
 * What an agent could need to act for a person who is about to send it to work: the client that asks, if it is one, and
 * the agents behind the resource that it asks for. Only what they could use: within their ceiling, within the scope
 * that is asked for, where a grant is needed, and not given yet.
 */
export async function offeredDelegations(
  request: { clientId: string; resource: string | undefined; scope: string | undefined; person: string },
  nowMs: number,
  deps: {
    config: BehalfConfig;
    records: RecordReader;
    resources: ResourceRegistry;
    directory: ClientDirectory;
  },
): Promise<OfferedDelegation[]> {
  const asked = request.resource === undefined ? undefined : deps.resources.find(request.resource);
  if (!asked) return [];
  const targets = protectedResources(deps.config).filter(
    ({ resource, delegation }) =>
      delegation === 'grant' && canonicalResource(resource) !== canonicalResource(asked.resource),
  );
  const offers: OfferedDelegation[] = [];
  for (const agentId of new Set([request.clientId, ...asked.servedBy])) {
    const agent = await deps.directory.findAgent(agentId);
    const ceiling = agent && (await deps.directory.ceilingOf(agentId));
    if (!agent || !ceiling) continue;
    for (const { resource, name, scopes: known } of targets) {
      if (!coversAudience(ceiling.audiences, resource)) continue;
      const within = parseScope(request.scope).intersect(ceiling.scopes).intersect(known);
      const scopes = [...within].sort();
      const question = { person: request.person, agent: agentId, resource, requiredScopes: scopes };
      if (scopes.length === 0 || (await findGrant(deps.records, question, nowMs))) continue;
      offers.push({
        field: fieldOf(agentId, resource, scopes),
        agent: agentId,
        agentName: agent.name,
        owner: agent.owner,
        purpose: agent.purpose ?? '',
        resource: { name, identifier: resource },
        scopes,
      });
    }
  }
  return offers;
}

function fieldOf(...what: unknown[]): string {
  return `delegate-${createHash('sha256').update(JSON.stringify(what)).digest('base64url')}`;
}
