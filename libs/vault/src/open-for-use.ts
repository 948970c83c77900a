import { type DecisionGrant, DecisionGrantRefused } from '@behalf/decision-grant';
import { actorNames, coversScopes } from '@behalf/oauth';
import { type Provider, findProvider } from '@behalf/third-party';
import { isRolledBack } from './check-not-rolled-back.js';
import { connectionId } from './connection.js';
import type { ConnectionRefresher } from './connection-refresher.js';
import { openOrAlarm } from './open-or-alarm.js';
import type { OpenedCredential } from './ports.js';
import { raiseAlarm } from './raise-alarm.js';
import { readConnection } from './read-connection.js';
import { isUsable } from './refresh-timing.js';
import { openAccess, placeOf } from './sealed-credential.js';
import type { StoredConnection } from './store-connection.js';
import type { UseNotes } from './use-notes.js';
import type { VaultDependencies } from './vault-dependencies.js';
import { VaultError } from './vault-error.js';

/**
 * Opens the one credential that a decision grant names. In this order: the grant is used up, the connection is found by
 * what the grant says and nothing else, refreshed when it is time, compared with what was seen last, opened, and written
 * down before it is handed out.
 *
 * @throws VaultError
 */
export async function openForUse(
  decisionGrant: string,
  refresher: ConnectionRefresher,
  uses: UseNotes,
  dependencies: VaultDependencies,
): Promise<OpenedCredential> {
  const grant = await verifiedGrant(decisionGrant, dependencies);
  const provider = findProvider(dependencies.providers, grant.resource);
  if (!provider) throw new VaultError('not_connected');
  const found = await findConnection(grant, provider, dependencies);
  checkAgreed(found, grant, provider);
  const fresh = await refresher.fresh(found);
  checkAgreed(fresh, grant, provider);
  if (!isUsable(fresh.value, dependencies.clock.nowMs())) throw new VaultError('needs_consent');
  const opened = await openNow(fresh, provider, grant, dependencies);
  await writeDown(fresh, grant, dependencies);
  uses.note(fresh, grant);
  return opened;
}

async function verifiedGrant(token: string, { verifyGrant }: VaultDependencies): Promise<DecisionGrant> {
  try {
    return await verifyGrant(token);
  } catch (cause) {
    throw cause instanceof DecisionGrantRefused ? new VaultError('grant_refused', { cause }) : cause;
  }
}

async function findConnection(
  { sub, tenant }: DecisionGrant,
  { id: providerId, resources }: Provider,
  { records }: VaultDependencies,
): Promise<StoredConnection> {
  const id = connectionId({ tenant, owner: sub, providerId, resource: resources[0] });
  return readConnection(records, id);
}

/** The person, once more: an id that was made from other parts must not find their row. */
function checkAgreed(
  { value }: StoredConnection,
  { sub, tenant, scope }: DecisionGrant,
  { impliedScopes }: Provider,
): void {
  if (value.owner !== sub || value.tenant !== tenant || value.status === 'disconnected') {
    throw new VaultError('not_connected');
  }
  if (value.status !== 'active' || !value.sealed) throw new VaultError('needs_consent');
  const missingScopes = scope
    .split(' ')
    .filter((wanted) => wanted !== '' && !coversScopes(value.scopes, [wanted], impliedScopes));
  if (missingScopes.length > 0) throw new VaultError('needs_scope', { missingScopes });
}

async function openNow(
  connection: StoredConnection,
  provider: Provider,
  grant: DecisionGrant,
  dependencies: VaultDependencies,
): Promise<OpenedCredential> {
  const { id, value } = connection;
  const about = { connectionId: id, owner: value.owner, grant };
  await watchRate(about, dependencies);
  if (await isRolledBack(dependencies, connection)) {
    await raiseAlarm(dependencies, { ...about, alarm: 'rolled_back' });
    throw new VaultError('needs_consent');
  }
  const { accessToken } = await openOrAlarm(dependencies, about, () =>
    openAccess(dependencies.keys, placeOf(id, value), value.sealed?.access ?? ''),
  );
  const { header, prefix } =
    provider.kind === 'static' ? provider.credential : { header: 'authorization', prefix: 'Bearer ' };
  return {
    connectionId: id,
    credentialVersion: value.credentialVersion,
    accessToken,
    header,
    prefix,
    expiresAtMs: value.accessTokenExpiresAtMs,
    scopes: value.scopes,
  };
}

/** Each opening was permitted; so many of them for one person are worth a look all the same. Told once a minute. */
async function watchRate(
  about: { connectionId: string; owner: string; grant: DecisionGrant },
  dependencies: VaultDependencies,
): Promise<void> {
  const { rateLimiter, opensPerMinute, onFault } = dependencies;
  try {
    const limit = { attempts: opensPerMinute, windowSeconds: 60 };
    if ((await rateLimiter.tryAttempt('vault-opens', about.owner, limit)) === undefined) return;
    const once = { attempts: 1, windowSeconds: 60 };
    if ((await rateLimiter.tryAttempt('vault-alarms', about.owner, once)) !== undefined) return;
    await raiseAlarm(dependencies, { ...about, alarm: 'decrypt_rate' });
  } catch (error) {
    // Counting is for people who look on; who may open it was decided before.
    onFault('openings could not be counted', error);
  }
}

/** @throws what the audit log throws: what cannot be written down is not handed out */
async function writeDown(
  { id, value }: StoredConnection,
  { sub, act, client_id, decision_id, resource, scope }: DecisionGrant,
  { audit, clock }: VaultDependencies,
): Promise<void> {
  await audit.append({
    type: 'vault-use',
    outcome: 'allowed',
    occurredAtMs: clock.nowMs(),
    person: sub,
    client: client_id,
    actors: actorNames(act),
    decisionId: decision_id,
    details: {
      connection: id,
      provider: value.providerId,
      resource,
      scope,
      credentialVersion: value.credentialVersion,
    },
  });
}
