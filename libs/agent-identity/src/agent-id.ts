import { AgentRefusal } from './agent-refusal.js';
import type { AgentDependencies } from './ports.js';

/** The id of an agent whose metadata document we serve. */
export function buildAgentId(slug: string, { agentsUrl }: Pick<AgentDependencies, 'agentsUrl'>): string {
  return `${agentsUrl}/${slug}`;
}

/**
 * Checks an id that the agent already has: the URL of its client identifier metadata document.
 *
 * It must be spelt the one way that URLs compare equal in, so that no two ids look the same to somebody else, and
 * must not be ours: below our own issuer only we give ids out. Nothing is fetched, so whoever registers it vouches that
 * it is the agent's.
 *
 * @throws AgentRefusal `id_unacceptable`
 * @see draft-ietf-oauth-client-id-metadata-document §3
 */
export function checkExternalAgentId(id: string, { agentsUrl }: Pick<AgentDependencies, 'agentsUrl'>): void {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new AgentRefusal({ kind: 'id_unacceptable', fault });
  };
  const url = URL.parse(id);
  unless(url?.protocol === 'https:', 'must be an https URL');
  // No dot segments, default port, capital letters in the host, backslashes or characters outside ASCII.
  unless(url?.href === id, 'must be spelt in its normal form');
  unless(!/[?#@]/.test(id), 'must have no query, fragment or user');
  unless(url?.pathname !== '/', 'must have a path');
  unless(url?.host !== new URL(agentsUrl).host, 'must not be below this issuer');
}
