import { type Lease, RecordConflict, outsideDeadline } from '@behalf/ports';
import { changeConnection, ended, writeConnection } from './change-connection.js';
import type { ConnectionRecord } from './connection.js';
import { HeldLease } from './held-lease.js';
import { openOrAlarm } from './open-or-alarm.js';
import { type RefreshOutcome, requestNewTokens } from './request-new-tokens.js';
import { readConnection } from './read-connection.js';
import { backoffMs, isRefreshDue, isUsable, longestRequestMs, misconfiguredMs } from './refresh-timing.js';
import { openRefresh, placeOf } from './sealed-credential.js';
import type { StoredConnection } from './store-connection.js';
import { storeNewTokens } from './store-new-tokens.js';
import type { VaultDependencies } from './vault-dependencies.js';
import { VaultError } from './vault-error.js';

/** Longer than a leader that was killed leaves the others waiting, shorter than any grace worth the name. */
export const leaseMs = 3_000;
/** How long a caller waits for another's refresh before it is told to come back. */
const patienceMs = 25_000;
const pollMs = 60;

/**
 * Refreshes connections, each by one replica at a time, so that a grant is never lost:
 *
 * - one caller in this process leads and the others share what comes of it; among processes a lease decides;
 * - before the request leaves, the record says so: whoever finds that unsettled knows that an answer may be lost;
 * - what the provider gives is stored before anybody uses it, and by version: what is newer is never overwritten;
 * - a refusal ends a connection only when nothing newer is there, and when nobody who asked before can still succeed.
 *
 * A lease can lapse under a leader that was held up. Then two may ask with one refresh token; of two answers the one
 * that was asked for later stays, as the provider counts it.
 */
export class ConnectionRefresher {
  readonly #running = new Map<string, Promise<StoredConnection>>();

  constructor(private readonly dependencies: VaultDependencies) {}

  /**
   * The connection with an access token that is good for a call, if there can be one. Ahead of its end the present one
   * is handed out while the next one is fetched.
   *
   * @throws VaultError `unavailable` with the time after which it may be tried again
   */
  async fresh(connection: StoredConnection): Promise<StoredConnection> {
    const nowMs = this.dependencies.clock.nowMs();
    if (connection.value.status !== 'active' || !isRefreshDue(connection.value, nowMs)) return connection;
    const usable = isUsable(connection.value, nowMs);
    if (usable && nowMs < (connection.value.refresh?.notBeforeMs ?? 0)) return connection;
    const refreshing = this.#join(connection);
    if (!usable) return refreshing;
    refreshing.catch((error: unknown) => {
      if (!(error instanceof VaultError)) this.dependencies.onFault('a refresh ahead of time failed', error);
    });
    return connection;
  }

  #join(connection: StoredConnection): Promise<StoredConnection> {
    const running = this.#running.get(connection.id);
    if (running) return running;
    // Others wait for it, too, and new tokens are stored whether or not anybody still does.
    const started = outsideDeadline(() =>
      this.#refresh(connection.id, connection.value.credentialVersion),
    ).finally(() => this.#running.delete(connection.id));
    this.#running.set(connection.id, started);
    return started;
  }

  async #refresh(id: string, seenVersion: number): Promise<StoredConnection> {
    const { clock, leases, wait, random } = this.dependencies;
    const untilMs = clock.nowMs() + patienceMs;
    for (;;) {
      const current = await readConnection(this.dependencies.records, id);
      if (isSettledFor(current, seenVersion, clock.nowMs())) return current;
      const restMs = (current.value.refresh?.notBeforeMs ?? 0) - clock.nowMs();
      if (restMs > 0) {
        if (isUsable(current.value, clock.nowMs())) return current;
        throw new VaultError('unavailable', { retryAfterSeconds: Math.ceil(restMs / 1000) });
      }
      const lease = await leases.acquire(leaseName(id), leaseMs);
      if (lease) {
        const led = await this.#lead(id, seenVersion, lease);
        if (led) return led;
      } else if (clock.nowMs() > untilMs) {
        throw new VaultError('unavailable', { retryAfterSeconds: 1 });
      } else {
        await wait(pollMs * (0.5 + random()));
      }
    }
  }

  /** @returns undefined when it is to be looked at anew */
  async #lead(id: string, seenVersion: number, lease: Lease): Promise<StoredConnection | undefined> {
    const { leases, clock, records, onFault } = this.dependencies;
    const held = new HeldLease(leases, lease, leaseMs);
    try {
      const before = await readConnection(this.dependencies.records, id);
      if (isSettledFor(before, seenVersion, clock.nowMs())) return before;
      const begun = await writeConnection(
        records,
        id,
        { ...before.value, refresh: attemptOf(before.value, lease.fence, clock.nowMs()) },
        before,
      );
      return await this.#ask(begun, before.value.refresh, held);
    } catch (error) {
      if (error instanceof RecordConflict) return undefined;
      throw error;
    } finally {
      await held
        .release()
        .catch((error: unknown) => onFault('a lease could not be given back, and runs out', error));
    }
  }

  async #ask(
    begun: StoredConnection,
    previous: ConnectionRecord['refresh'],
    held: HeldLease,
  ): Promise<StoredConnection> {
    const { keys, providers } = this.dependencies;
    const { id, value } = begun;
    const provider = providers.find((known) => known.id === value.providerId);
    // A provider that went from the configuration may come back: its connections are not given up for that.
    if (!provider) throw new VaultError('unavailable');
    const sealed = value.sealed?.refresh;
    if (sealed === undefined) return this.#giveUp(begun, 'expired');
    const alarmed = { connectionId: id, owner: value.owner };
    const secret = await openOrAlarm(this.dependencies, alarmed, () =>
      openRefresh(keys, placeOf(id, value), sealed),
    );
    const isLeader = (): boolean => held.isHeld;
    const outcome = await requestNewTokens(provider, secret, value.scopes, isLeader, this.dependencies);
    switch (outcome.kind) {
      case 'tokens': {
        const { refreshToken = secret.refreshToken, client = secret.client } = outcome.tokens;
        return storeNewTokens(
          begun,
          { ...outcome.tokens, refreshToken, client },
          held.fence,
          this.dependencies,
        );
      }
      case 'refused':
        return this.#refused(begun, previous, outcome.mayBeOurOwnUse);
      case 'lost':
      case 'failed':
        return this.#failed(begun, outcome);
    }
  }

  /**
   * The provider refused. Who asked before us and was never heard of may have used the token up, and may still be about
   * to store what it got: until it cannot be any more, its tokens are waited for.
   */
  async #refused(
    begun: StoredConnection,
    previous: ConnectionRecord['refresh'],
    mayBeOurOwnUse: boolean,
  ): Promise<StoredConnection> {
    const { clock, wait, random } = this.dependencies;
    const untilMs = previous?.isAsking ? previous.startedAtMs + longestRequestMs + leaseMs : 0;
    for (;;) {
      const current = await readConnection(this.dependencies.records, begun.id);
      const isNewer = current.value.credentialVersion > begun.value.credentialVersion;
      if (isNewer || current.value.status !== 'active') return current;
      if (clock.nowMs() >= untilMs) break;
      await wait(pollMs * (0.5 + random()));
    }
    const wasLost = mayBeOurOwnUse || begun.value.refresh?.mayBeUsed === true;
    return this.#giveUp(begun, wasLost ? 'refresh_lost' : 'refused_by_provider');
  }

  async #giveUp(
    { id, value: { credentialVersion } }: StoredConnection,
    reason: 'refresh_lost' | 'refused_by_provider' | 'expired',
  ): Promise<StoredConnection> {
    const { records, clock } = this.dependencies;
    const changed = await changeConnection(records, id, ({ value }) =>
      value.credentialVersion === credentialVersion && value.status === 'active'
        ? ended(value, 'needs_consent', reason, clock.nowMs())
        : undefined,
    );
    return changed ?? readConnection(this.dependencies.records, id);
  }

  /** Whether the provider acted is not known when the answer was lost: the record goes on saying so. */
  async #failed(
    { id, value: { credentialVersion } }: StoredConnection,
    outcome: Extract<RefreshOutcome, { kind: 'lost' | 'failed' }>,
  ): Promise<StoredConnection> {
    const { records, clock, random, onFault } = this.dependencies;
    const { problem, retryAfterSeconds } = outcome.error;
    onFault(`a refresh failed: ${problem}`, outcome.error);
    const mayPass = problem === 'unavailable' || problem === 'outcome_unknown';
    let pauseMs = 0;
    const changed = await changeConnection(records, id, ({ value }) => {
      if (value.credentialVersion !== credentialVersion || !value.refresh) return undefined;
      const { failures } = value.refresh;
      pauseMs = mayPass ? backoffMs(failures, random()) : misconfiguredMs(random());
      pauseMs = Math.max(pauseMs, (retryAfterSeconds ?? 0) * 1000);
      const notBeforeMs = clock.nowMs() + Math.ceil(pauseMs);
      const mayBeUsed = value.refresh.mayBeUsed || outcome.kind === 'lost';
      const refresh = { ...value.refresh, isAsking: false, mayBeUsed, failures: failures + 1, notBeforeMs };
      return { ...value, refresh };
    });
    if (changed && isUsable(changed.value, clock.nowMs())) return changed;
    throw new VaultError('unavailable', {
      cause: outcome.error,
      retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1000)),
    });
  }
}

/** There is nothing to refresh any more for who saw that version. */
function isSettledFor({ value }: StoredConnection, seenVersion: number, nowMs: number): boolean {
  return value.status !== 'active' || value.credentialVersion > seenVersion || !isRefreshDue(value, nowMs);
}

/** That an answer may have been lost is not forgotten before the provider gave new tokens. */
function attemptOf(
  { refresh }: ConnectionRecord,
  fence: number,
  nowMs: number,
): NonNullable<ConnectionRecord['refresh']> {
  const mayBeUsed = refresh !== undefined && (refresh.isAsking || refresh.mayBeUsed);
  return {
    fence,
    startedAtMs: nowMs,
    isAsking: true,
    mayBeUsed,
    failures: refresh?.failures ?? 0,
    notBeforeMs: 0,
  };
}

function leaseName(id: string): string {
  return `refresh ${id}`;
}
