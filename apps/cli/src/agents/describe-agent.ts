import type { Agent, AgentSecret } from '@behalf/contracts';

/** An agent for people to read. */
export function describeAgent(agent: Agent): string {
  const { ceiling, lifetimes, jwks, jwksUri, credential, stateReason } = agent;
  const rows: [string, string | undefined][] = [
    ['id', agent.id],
    ['state', stateReason === undefined ? agent.state : `${agent.state}: ${stateReason}`],
    ['since', new Date(agent.stateSinceMs).toISOString()],
    ['name', agent.name],
    ['owner', agent.owner],
    ['purpose', agent.purpose],
    ['keys', jwksUri ?? jwks?.keys.map(({ kid }) => kid).join(', ')],
    ['credential', credential && describeCredential(credential)],
    ['bound by', agent.boundTokens],
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

/** The one time that a secret is shown. */
export function describeSecret({ id, clientSecret }: AgentSecret): string {
  return `secret ${id}, which is not shown again:\n${clientSecret}`;
}

function describeCredential(credential: NonNullable<Agent['credential']>): string {
  switch (credential.method) {
    case 'client_secret':
      return `secrets ${credential.secrets.map(({ id }) => id).join(', ') || '(none yet)'}`;
    case 'tls_client_auth':
      return `certificate of ${credential.value}`;
    case 'self_signed_tls_client_auth':
      return `${credential.certificates.length} certificate(s) of its own`;
    case 'attest_jwt_client_auth':
      return `attested by ${credential.attester}`;
    case 'spiffe_jwt':
      return credential.spiffeId;
    case 'workload':
      return `workload ${credential.subject ?? ''} of ${credential.issuer}`.replace('  ', ' ');
  }
}
