import { sealingKeyVariable } from '@behalf/adapter-local-key';
import { RecordConflict, type RecordKind, type RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { z } from 'zod';

const sealingKeys: RecordKind<{ keyId: string }> = {
  name: 'sealing-key',
  schema: z.object({ keyId: z.string() }),
};
const theOne = 'current';

/** This process has another sealing key than those it shares a database with. */
export class SealingKeyError extends Error {
  override readonly name = 'SealingKeyError';
}

/**
 * Guarantees that every process on a database seals under one key: the first one to start says which. With another key
 * a service would run, and fail at each secret that somebody else has sealed. Compares the ids of the keys, which are
 * digests of them; opens nothing.
 *
 * @throws SealingKeyError that names the place of the key and no value
 */
export async function checkSealingKey(
  records: RecordStore,
  { id }: Pick<KeyEncryptionKey, 'id'>,
): Promise<void> {
  const agreed = (await records.get(sealingKeys, theOne)) ?? (await claim(records, id));
  if (agreed.value.keyId === id) return;
  throw new SealingKeyError(
    `${sealingKeyVariable}, or sealing.key in the data folder, is not the key that this database is sealed under: ` +
      `every service on it needs the same one (${agreed.value.keyId}, not ${id})`,
  );
}

async function claim(records: RecordStore, keyId: string): Promise<{ value: { keyId: string } }> {
  const value = { keyId };
  try {
    await records.transaction((transaction) =>
      transaction.put(sealingKeys, theOne, value, { expectedVersion: 0 }),
    );
    return { value };
  } catch (error) {
    // Another process was first.
    const first = error instanceof RecordConflict && (await records.get(sealingKeys, theOne));
    if (!first) throw error;
    return first;
  }
}
