import type { ResourceRegistry } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import type { DelegationGrant } from '@behalf/contracts';
import type { DelegationWords } from '../pages/delegation-pages.js';
import { scopeWords } from '../pages/scope-words.js';
import type { ClientDirectory } from './client-directory.js';

type Described = Pick<DelegationGrant, 'agent' | 'resource' | 'scopes' | 'authorizationDetails' | 'purpose'>;

/** A grant, or a request for one, in the words people are shown. */
export async function describeGrant(
  { agent, resource, scopes, authorizationDetails, purpose }: Described,
  {
    directory,
    resources,
    config,
  }: { directory: ClientDirectory; resources: ResourceRegistry; config: BehalfConfig },
): Promise<DelegationWords> {
  const { name: agentName, owner } = await directory.describe(agent);
  return {
    agentName,
    agentId: agent,
    owner,
    resource: { name: resources.find(resource)?.name ?? resource, identifier: resource },
    permissions: scopeWords(scopes, config.authorizationServer),
    authorizationDetails,
    purpose,
  };
}
