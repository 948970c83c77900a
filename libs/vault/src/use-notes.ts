import type { DecisionGrant } from '@behalf/decision-grant';
import { actorNames } from '@behalf/oauth';
import { LRUCache } from 'lru-cache';
import { type ConnectionUse, connectionUseKind } from './connection.js';
import type { StoredConnection } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/** People look at this to the minute. */
const notedEveryMs = 60_000;
const maxRemembered = 10_000;

/**
 * Who used a connection last, for its owner to see: noted at once when it is another agent than before, otherwise once
 * a minute. A note may get lost; every use is in the audit log.
 */
export class UseNotes {
  readonly #noted = new LRUCache<string, { by: string; atMs: number }>({ max: maxRemembered });

  constructor(private readonly dependencies: Pick<VaultDependencies, 'records' | 'clock' | 'onFault'>) {}

  /** Returns at once. */
  note({ id, value: { owner } }: StoredConnection, { act, client_id: clientId }: DecisionGrant): void {
    const { records, clock, onFault } = this.dependencies;
    const usedAtMs = clock.nowMs();
    const actors = actorNames(act);
    const by = JSON.stringify([clientId, actors]);
    const last = this.#noted.get(id);
    if (last?.by === by && usedAtMs < last.atMs + notedEveryMs) return;
    this.#noted.set(id, { by, atMs: usedAtMs });
    const use: ConnectionUse = { owner, usedAtMs, actors, clientId };
    records
      .transaction((transaction) => transaction.put(connectionUseKind, id, use))
      .catch((error: unknown) => onFault('the last use of a connection was not noted', error));
  }
}
