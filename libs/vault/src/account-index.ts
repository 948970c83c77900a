import { RecordConflict, type RecordKind } from '@behalf/ports';
import { open, seal } from '@behalf/sealing';
import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ConnectionRecord } from './connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

const indexKeySchema = z.object({ sealed: z.string() });
export const indexKeyKind: RecordKind<z.output<typeof indexKeySchema>> = {
  name: 'vault-account-index',
  schema: indexKeySchema,
};
export const indexKeyId = 'key';
export const indexKeyContext = { kind: indexKeyKind.name, id: indexKeyId };

/**
 * Finds connections by what the provider knows their account by, without the database telling who that is: what stands
 * there is a MAC under a key that is sealed like everything else.
 */
export class AccountIndex {
  #key: Promise<Uint8Array> | undefined;

  constructor(private readonly dependencies: Pick<VaultDependencies, 'records' | 'keys'>) {}

  /** @throws SealingError */
  async keyOf(providerId: ConnectionRecord['providerId'], accountId: string): Promise<string> {
    this.#key ??= this.#load().catch((error: unknown) => {
      this.#key = undefined;
      throw error;
    });
    return createHmac('sha256', await this.#key)
      .update(JSON.stringify([providerId, accountId]))
      .digest('base64url');
  }

  async #load(): Promise<Uint8Array> {
    const { records, keys } = this.dependencies;
    const found = await records.get(indexKeyKind, indexKeyId);
    if (found) return open(keys, found.value.sealed, indexKeyContext);
    const key = randomBytes(32);
    const sealed = await seal(keys.current, key, indexKeyContext);
    try {
      await records.transaction((transaction) =>
        transaction.put(indexKeyKind, indexKeyId, { sealed }, { expectedVersion: 0 }),
      );
      return key;
    } catch (error) {
      if (!(error instanceof RecordConflict)) throw error;
      // Another process was first: its key is the one.
      return this.#load();
    }
  }
}
