import { writeConnection } from './change-connection.js';
import { rememberVersion } from './check-not-rolled-back.js';
import { type ConnectionRecord, connectionId, connectionKind } from './connection.js';
import { type CredentialPlace, sealPart } from './sealed-credential.js';
import type { VaultDependencies } from './vault-dependencies.js';

export interface Decoy {
  /** Somebody who does not exist, named as people are named here. */
  readonly owner: string;
  readonly tenant: string;
  readonly providerId: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  /** What a thief finds in it: best something that the provider, too, reports when it is used. */
  readonly accessToken: string;
  readonly refreshToken: string;
}

/**
 * Plants a connection that nobody has a use for. In the database it is a row like all others; that it is a decoy is
 * sealed inside, so only who opens it finds out, and by then the alarm has been raised.
 *
 * @returns its id; undefined when there is a connection in its place already
 */
export async function plantDecoy(
  { owner, tenant, providerId, resource, scopes, accessToken, refreshToken }: Decoy,
  dependencies: Pick<VaultDependencies, 'records' | 'keys' | 'clock' | 'seenVersions'>,
): Promise<string | undefined> {
  const { records, keys, clock } = dependencies;
  const id = connectionId({ tenant, owner, providerId, resource });
  if (await records.get(connectionKind, id)) return undefined;
  const nowMs = clock.nowMs();
  const credentialVersion = 1;
  const place: CredentialPlace = { id, owner, tenant, providerId, resource, credentialVersion };
  const value: ConnectionRecord = {
    owner,
    tenant,
    providerId,
    resource,
    scopes: [...scopes],
    status: 'active',
    createdAtMs: nowMs,
    statusSinceMs: nowMs,
    credentialVersion,
    credentialSinceMs: nowMs,
    isRefreshable: true,
    sealed: {
      access: await sealPart(keys, place, 'access', { accessToken, isDecoy: true }),
      refresh: await sealPart(keys, place, 'refresh', { refreshToken, isDecoy: true }),
    },
  };
  await writeConnection(records, id, value, undefined);
  await rememberVersion(dependencies, id, credentialVersion);
  return id;
}
