import { RecordConflict } from '@behalf/ports';
import type { RecordStore } from '@behalf/ports';
import { grantUseRecords } from './grant-records.js';

const intervalMs = 60_000;
const keptMs = 400 * 24 * 3600 * 1000;
const maxKnown = 10_000;

/**
 * Remembers when grants were used, at most once a minute for each: an exchange is too frequent to write for. Exact
 * times are in the audit log.
 */
export class GrantUses {
  readonly #noted = new Map<string, number>();

  constructor(private readonly records: RecordStore) {}

  /** Does nothing when this or another process has noted a use within the minute. */
  async note(grantId: string, nowMs: number): Promise<void> {
    if (nowMs - (this.#noted.get(grantId) ?? -Infinity) < intervalMs) return;
    this.#remember(grantId, nowMs);
    try {
      await this.records.transaction(async (transaction) => {
        const known = await transaction.get(grantUseRecords, grantId);
        if (known && nowMs - known.value.lastUsedAtMs < intervalMs) return;
        await transaction.put(
          grantUseRecords,
          grantId,
          { lastUsedAtMs: nowMs },
          { expiresAtMs: nowMs + keptMs },
        );
      });
    } catch (error) {
      // Another process notes the same minute.
      if (!(error instanceof RecordConflict)) throw error;
    }
  }

  #remember(grantId: string, nowMs: number): void {
    this.#noted.delete(grantId);
    if (this.#noted.size >= maxKnown) this.#noted.delete(this.#noted.keys().next().value as string);
    this.#noted.set(grantId, nowMs);
  }
}
