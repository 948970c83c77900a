import type { Agent } from '@behalf/contracts';

/** An agent for people to read. */
export function describeAgent(agent: Agent): string {
  const { ceiling, lifetimes, jwks, jwksUri, stateReason } = agent;
  const rows: [string, string | undefined][] = [
    ['id', agent.id],
    ['state', stateReason === undefined ? agent.state : `${agent.state}: ${stateReason}`],
    ['since', new Date(agent.stateSinceMs).toISOString()],
    ['name', agent.name],
    ['owner', agent.owner],
    ['purpose', agent.purpose],
    ['keys', jwksUri ?? jwks?.keys.map(({ kid }) => kid).join(', ')],
    ['audiences', ceiling.audiences.join(' ') || 'none'],
    ['scopes', ceiling.scopes.join(' ') || 'none'],
    ['details', ceiling.authorizationDetailsTypes.join(' ') || undefined],
    ['as person', ceiling.impersonation.join(' ') || undefined],
    ['targets', ceiling.maxTargets === 1 ? undefined : `${ceiling.maxTargets} per token at most`],
    ['chain', `${ceiling.maxChainDepth} actors at most`],
    [
      'tokens',
      lifetimes.tokenSeconds === undefined ? undefined : `${lifetimes.tokenSeconds} seconds at most`,
    ],
    ['version', String(agent.version)],
  ];
  return rows
    .flatMap(([title, text]) => (text === undefined ? [] : [`${title.padEnd(10)} ${text}`]))
    .join('\n');
}

export function describeAgents(agents: readonly Agent[]): string {
  if (agents.length === 0) return 'no agents';
  return agents
    .map(({ id, state, name, owner }) => `${state.padEnd(9)}  ${id}  ${name} (${owner})`)
    .join('\n');
}
