import { RecordConflict, type RecordKind, type RecordTransaction, type StoredRecord } from '@behalf/ports';
import { z } from 'zod';
import type { Disconnected } from './ports.js';
import { type CredentialPlace, openAccess, openRefresh } from './sealed-credential.js';
import type { StoredConnection } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

const firstPauseMs = 60_000;
const longestPauseMs = 6 * 3600 * 1000;
/** Refresh tokens that nobody uses are gone by then with most providers. */
const givenUpAfterMs = 7 * 24 * 3600 * 1000;
const pageSize = 100;

/** Tokens that are over here and may still be good at their provider. Sealed where they were, for no other use. */
const pendingRevocationSchema = z.object({
  connectionId: z.string(),
  owner: z.string(),
  tenant: z.string(),
  providerId: z.string(),
  resource: z.string(),
  credentialVersion: z.int(),
  sealed: z.object({ access: z.string(), refresh: z.string().optional() }),
  attempts: z.int(),
  notBeforeMs: z.int(),
  giveUpAtMs: z.int(),
});
export type PendingRevocation = z.output<typeof pendingRevocationSchema>;
export const pendingRevocationKind: RecordKind<PendingRevocation> = {
  name: 'pending-revocation',
  schema: pendingRevocationSchema,
  keys: ({ owner, providerId }) => ({ owner, providerId }),
};

/** Writes down, together with the end of a connection, what its provider has yet to be told. @returns its id */
export async function notePendingRevocation(
  transaction: RecordTransaction,
  { id: connectionId, value }: StoredConnection,
  nowMs: number,
): Promise<string | undefined> {
  const { owner, tenant, providerId, resource, credentialVersion, sealed } = value;
  if (!sealed) return undefined;
  const { access, refresh } = sealed;
  const id = `${connectionId}.${credentialVersion}`;
  await transaction.put(pendingRevocationKind, id, {
    connectionId,
    owner,
    tenant,
    providerId,
    resource,
    credentialVersion,
    sealed: { access, ...(refresh !== undefined && { refresh }) },
    attempts: 0,
    notBeforeMs: nowMs,
    giveUpAtMs: nowMs + givenUpAfterMs,
  });
  return id;
}

/**
 * Tells the provider. Of several who try at once one does; when it dies, the next one comes after the pause.
 *
 * @returns undefined when another one is at it, or was
 */
export async function tryRevocation(
  id: string,
  dependencies: VaultDependencies,
): Promise<Disconnected['atProvider'] | undefined> {
  const begun = await begin(id, dependencies);
  if (!begun) return undefined;
  const { records, onFault } = dependencies;
  try {
    const outcome = await revokeAtProvider(begun.value, dependencies);
    await records.transaction((transaction) => transaction.delete(pendingRevocationKind, id));
    return outcome;
  } catch (error) {
    onFault('a connection was ended here, and not yet at its provider', error);
    return 'failed';
  }
}

/** One look at everything that is due. What nobody could be told for a week is given up, which the audit log says. */
export async function retryRevocations(dependencies: VaultDependencies): Promise<void> {
  const { records, clock } = dependencies;
  for (let afterId: string | undefined; ;) {
    const options = { limit: pageSize, ...(afterId !== undefined && { afterId }) };
    const page = await records.list(pendingRevocationKind, options);
    for (const { id, value } of page) {
      if (value.notBeforeMs > clock.nowMs()) continue;
      if (value.giveUpAtMs <= clock.nowMs()) await giveUp(id, value, dependencies);
      else await retry(id, value, dependencies);
    }
    afterId = page.at(-1)?.id;
    if (page.length < pageSize) return;
  }
}

async function retry(id: string, value: PendingRevocation, dependencies: VaultDependencies): Promise<void> {
  const outcome = await tryRevocation(id, dependencies);
  if (outcome === undefined || outcome === 'failed') return;
  await writeDown(value, 'allowed', { atProvider: outcome }, dependencies);
}

async function giveUp(id: string, value: PendingRevocation, dependencies: VaultDependencies): Promise<void> {
  // Written down before it is forgotten: an operator may still end it by hand.
  await writeDown(value, 'refused', { reason: 'given_up' }, dependencies);
  await dependencies.records.transaction((transaction) => transaction.delete(pendingRevocationKind, id));
}

async function begin(
  id: string,
  { records, clock, random }: VaultDependencies,
): Promise<StoredRecord<PendingRevocation> | undefined> {
  const found = await records.get(pendingRevocationKind, id);
  if (!found || found.value.notBeforeMs > clock.nowMs()) return undefined;
  const { attempts } = found.value;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts, 20)) * (0.5 + random());
  const value = {
    ...found.value,
    attempts: attempts + 1,
    notBeforeMs: clock.nowMs() + Math.ceil(pauseMs),
  };
  try {
    const version = await records.transaction((transaction) =>
      transaction.put(pendingRevocationKind, id, value, { expectedVersion: found.version }),
    );
    return { ...found, value, version };
  } catch (error) {
    if (error instanceof RecordConflict) return undefined;
    throw error;
  }
}

/** @throws SealingError, ThirdPartyError */
async function revokeAtProvider(
  { connectionId, sealed, ...rest }: PendingRevocation,
  { keys, providers, thirdParties }: VaultDependencies,
): Promise<'revoked' | 'unsupported'> {
  const provider = providers.find((known) => known.id === rest.providerId);
  if (!provider) return 'unsupported';
  const place: CredentialPlace = { id: connectionId, ...rest };
  const { accessToken } = await openAccess(keys, place, sealed.access);
  const opened = sealed.refresh === undefined ? undefined : await openRefresh(keys, place, sealed.refresh);
  return thirdParties.revoke(provider, {
    accessToken,
    refreshToken: opened?.refreshToken,
    client: opened?.client,
  });
}

function writeDown(
  { owner, providerId, connectionId, attempts }: PendingRevocation,
  outcome: 'allowed' | 'refused',
  details: Record<string, string>,
  { audit, clock }: VaultDependencies,
): Promise<void> {
  return audit.append({
    type: 'provider-revocation',
    outcome,
    occurredAtMs: clock.nowMs(),
    person: owner,
    details: { connection: connectionId, provider: providerId, attempts, ...details },
  });
}
