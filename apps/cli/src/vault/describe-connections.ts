import type { ConnectionHealth, EndedConnection } from '@behalf/contracts';

const at = (ms: number): string => new Date(ms).toISOString();

/** Connections for people to read, one a line. */
export function describeConnections(connections: readonly ConnectionHealth[]): string {
  if (connections.length === 0) return 'no connections';
  return connections.map(inOneLine).join('\n');
}

function inOneLine(connection: ConnectionHealth): string {
  const { id, owner, providerId, status, reason, statusSinceMs, refreshFailures, lastUsedAtMs } = connection;
  const facts = [
    `${owner} at ${providerId}`,
    `since ${at(statusSinceMs)}`,
    reason,
    refreshFailures > 0 && `${refreshFailures} refreshes failed`,
    lastUsedAtMs === undefined ? 'never used' : `used ${at(lastUsedAtMs)} by ${connection.lastUsedBy}`,
  ];
  return `${status.padEnd(13)}  ${id}  ${facts.filter(Boolean).join(', ')}`;
}

export function describeEnded(ended: readonly EndedConnection[]): string {
  if (ended.length === 0) return 'nothing to end';
  const words = {
    revoked: 'ended at the provider, too',
    unsupported: 'the provider has no way to end it there',
    failed: 'the provider is told later',
    ended_there: 'ended',
  } as const;
  return ended
    .map(({ id, owner, providerId, atProvider }) => `${id}  ${owner} at ${providerId}: ${words[atProvider]}`)
    .join('\n');
}
