import { type Clock, RecordConflict, type RecordStore, type StoredRecord } from '@behalf/ports';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { hashClientSecret } from './client-secret.js';
import { deleteArtifactsOfGrant, revokeGrant } from './revoke-grant.js';
import { artifactId, artifactRecords, type StoredArtifact } from './stored-artifact.js';
import { transact } from './transact.js';

/** How often a rotated refresh token may still be used within its grace: tabs and processes of one client. */
const maxGraceUses = 5;

export interface StorageOptions {
  records: RecordStore;
  clock: Clock;
  /** How long a rotated refresh token still answers; 0: not at all. */
  refreshGraceSeconds: number;
  revocationLifetimeSeconds: number;
  /** A registered client that nobody used for this long is forgotten: many register anew at every run. */
  unusedClientSeconds: number;
  /** Called before a registered client is stored: what cannot be recorded is not registered. */
  recordRegistration: (clientId: string) => Promise<void>;
}

/**
 * Keeps one of oidc-provider's models in the record store.
 *
 * Guarantees beyond the library's contract: consuming is a compare-and-swap, so that of concurrent redemptions one
 * wins, and the others end the grant; ending a grant writes its revocation in the same transaction.
 *
 * @see OAuth 2.1 §4.1.3 (a code is used once), §4.3.1 (rotation with reuse detection)
 */
export class StorageAdapter implements Adapter {
  readonly #kind;

  constructor(
    private readonly model: string,
    private readonly options: StorageOptions,
  ) {
    this.#kind = artifactRecords(model);
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    // A copy without what the id already says: codes, refresh tokens and session ids are never written down.
    const { jti: _id, ...value } = { ...payload } as Record<string, unknown>;
    if (this.model === 'Interaction')
      delete (value['session'] as Record<string, unknown> | undefined)?.['cookie'];
    if (this.model === 'Client') value['client_secret'] = hashClientSecret(value['client_secret']);
    const lifetime = this.model === 'Client' ? this.options.unusedClientSeconds : expiresIn;
    const expiresAtMs = lifetime === undefined ? undefined : this.options.clock.nowMs() + lifetime * 1000;
    await transact(this.options.records, async (transaction) => {
      if (this.model === 'Client') await this.options.recordRegistration(id);
      await transaction.put(this.#kind, this.#id(id), value, { expiresAtMs });
    });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.options.records.get(this.#kind, this.#id(id));
    if (!record) return undefined;
    if (this.model === 'Client') {
      await this.#keepClient(record);
      return record.value;
    }
    const { consumed, ...value } = record.value;
    return {
      ...value,
      jti: id,
      ...(consumed !== undefined && !this.#answersInGrace(record.value) && { consumed }),
    };
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const [record] = await this.options.records.list(this.#kind, { where: { uid }, limit: 1 });
    return record?.value;
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** @throws InvalidGrant for everybody but the first, after the grant has been ended */
  async consume(id: string): Promise<void> {
    const { records, clock } = this.options;
    const isFirst = await transact(records, async (transaction) => {
      const record = await transaction.get(this.#kind, this.#id(id));
      if (!record) return false;
      const { value, expiresAtMs } = record;
      if (value.consumedAtMs !== undefined && !this.#answersInGrace(value)) {
        if (value.grantId !== undefined) await revokeGrant(transaction, value.grantId, this.#when());
        return false;
      }
      const consumedAtMs = value.consumedAtMs ?? clock.nowMs();
      await transaction.put(
        this.#kind,
        record.id,
        {
          ...value,
          consumed: Math.floor(consumedAtMs / 1000),
          consumedAtMs,
          graceUses: value.graceUses === undefined ? 0 : value.graceUses + 1,
        },
        { expiresAtMs, expectedVersion: record.version },
      );
      return true;
    });
    if (!isFirst) throw new errors.InvalidGrant('it was used before');
  }

  async destroy(id: string): Promise<void> {
    await transact(this.options.records, async (transaction) => {
      if (this.model === 'Grant') await revokeGrant(transaction, id, this.#when());
      else await transaction.delete(this.#kind, this.#id(id));
    });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await transact(this.options.records, (transaction) =>
      deleteArtifactsOfGrant(transaction, this.model, grantId),
    );
  }

  /** Being looked up is being used; written down once in half the time, and not at all when another one just did. */
  async #keepClient({
    id,
    value,
    version,
    expiresAtMs = Infinity,
  }: StoredRecord<StoredArtifact>): Promise<void> {
    const { records, clock, unusedClientSeconds } = this.options;
    const renewedMs = clock.nowMs() + unusedClientSeconds * 1000;
    if (renewedMs - expiresAtMs < unusedClientSeconds * 500) return;
    await records
      .transaction((transaction) =>
        transaction.put(this.#kind, id, value, { expiresAtMs: renewedMs, expectedVersion: version }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof RecordConflict)) throw error;
      });
  }

  /** Parallel refreshes of one client are no theft; oidc-provider checks that it is the same client. */
  #answersInGrace({ consumedAtMs, graceUses = 0 }: StoredArtifact): boolean {
    const { clock, refreshGraceSeconds } = this.options;
    return (
      this.model === 'RefreshToken' &&
      consumedAtMs !== undefined &&
      clock.nowMs() < consumedAtMs + refreshGraceSeconds * 1000 &&
      graceUses < maxGraceUses
    );
  }

  #when(): { nowMs: number; lifetimeSeconds: number } {
    return {
      nowMs: this.options.clock.nowMs(),
      lifetimeSeconds: this.options.revocationLifetimeSeconds,
    };
  }

  #id(id: string): string {
    return artifactId(this.model, id);
  }
}
