import type { DelegationGrant } from '@behalf/contracts';

const at = (ms: number): string => new Date(ms).toISOString();

/** A delegation grant for people to read. */
export function describeGrant(grant: DelegationGrant): string {
  const { authorizationDetails, lastUsedAtMs, endedBy } = grant;
  const rows: [string, string | undefined][] = [
    ['id', grant.id],
    ['state', endedBy === undefined ? grant.state : `${grant.state} by ${endedBy}`],
    ['person', grant.person],
    ['agent', grant.agent],
    ['resource', grant.resource],
    ['scopes', grant.scopes.join(' ')],
    [
      'details',
      authorizationDetails.map((detail) => JSON.stringify(detail)).join('\n           ') || undefined,
    ],
    ['purpose', grant.purpose],
    ['made', `${at(grant.createdAtMs)} by ${grant.madeBy} (${grant.origin})`],
    ['until', at(grant.expiresAtMs)],
    ['last used', lastUsedAtMs === undefined ? 'never' : at(lastUsedAtMs)],
    ['version', String(grant.version)],
  ];
  return rows
    .flatMap(([title, text]) => (text === undefined ? [] : [`${title.padEnd(10)} ${text}`]))
    .join('\n');
}

export function describeGrants(grants: readonly DelegationGrant[]): string {
  if (grants.length === 0) return 'no grants';
  return grants
    .map(
      ({ id, state, person, agent, resource, scopes, expiresAtMs }) =>
        `${state.padEnd(7)}  ${id}  ${agent} for ${person} at ${resource}: ${scopes.join(' ')}, until ${at(expiresAtMs)}`,
    )
    .join('\n');
}
