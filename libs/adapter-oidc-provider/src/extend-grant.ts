import { randomBytes } from 'node:crypto';
import { type AuthorizationDetail, isWithinDetails } from '@behalf/oauth';
import type { RecordStore } from '@behalf/ports';
import type { Provider } from 'oidc-provider';
import { rememberConsent } from './consent.js';
import { signInScopes, splitScope } from './request-rules.js';
import type { ResourceRegistry } from './resource-registry.js';
import { transact } from './transact.js';

const maxDetails = 100;

/** What a person has just agreed to. */
export interface Decision {
  person: string;
  clientId: string;
  /** The grant that the client has from this person already. */
  grantId: string | undefined;
  resource: string | undefined;
  scope: string | undefined;
  authorizationDetails: readonly AuthorizationDetail[];
  redirectUri: string;
}

/**
 * Adds a decision to the grant that the client has, or makes one, and remembers it. `record` is told first: what cannot
 * be recorded is not granted.
 *
 * @returns the grant's id
 */
export async function extendGrant(
  provider: Provider,
  decision: Decision,
  deps: {
    records: RecordStore;
    resources: ResourceRegistry;
    record: (grantId: string) => Promise<void>;
  },
): Promise<string> {
  const { person, clientId } = decision;
  const known = decision.grantId === undefined ? undefined : await provider.Grant.find(decision.grantId);
  const grant = known ?? new provider.Grant({ accountId: person, clientId });
  const scopes = splitScope(decision.scope);
  const resource = decision.resource === undefined ? undefined : deps.resources.find(decision.resource);
  if (resource) {
    const granted = scopes.filter((scope) => resource.scopes.includes(scope));
    grant.addResourceScope(resource.resource, granted);
  }
  grant.addOIDCScope(scopes.filter((scope) => signInScopes.includes(scope)));
  for (const detail of decision.authorizationDetails) {
    if (!isWithinDetails(detail, grant.rar ?? [])) grant.addRar(detail);
  }
  // The oldest go first: a client that asks for something else each time must not fill the store.
  if (grant.rar) grant.rar = grant.rar.slice(-maxDetails);
  // A decision renews what was agreed to before; without this it would keep the old end.
  delete (grant as { exp?: number }).exp;
  grant.jti ??= randomBytes(32).toString('base64url');
  await deps.record(grant.jti);
  const grantId = await grant.save();
  await transact(deps.records, (transaction) =>
    rememberConsent(transaction, {
      person,
      clientId,
      grantId,
      redirectUri: decision.redirectUri,
    }),
  );
  return grantId;
}
