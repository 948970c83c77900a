import type { AgentDependencies } from '@behalf/agent-identity';
import type { BehalfConfig } from '@behalf/config';

/** Whether the configuration has what vouches for a credential of an agent. */
export function trusts(
  { authorizationServer, mutualTls }: BehalfConfig,
  what: Parameters<AgentDependencies['trusts']>[0],
  name: string,
): boolean {
  const { attesters, spiffe, trustedIssuers } = authorizationServer;
  switch (what) {
    case 'certificates':
      return mutualTls.enabled;
    case 'attester':
      return attesters.some(({ issuer }) => issuer === name);
    case 'trustDomain':
      return spiffe?.trustDomains.some((domain) => domain.name === name) ?? false;
    case 'workloadIssuer':
      return trustedIssuers.some(({ issuer, workloads }) => issuer === name && workloads !== undefined);
  }
}
