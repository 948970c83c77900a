import { randomBytes } from 'node:crypto';
import { transact } from '@behalf/adapter-oidc-provider';
import type { RecordKind, RecordStore } from '@behalf/ports';
import { type KeyEncryptionKey, open, seal } from '@behalf/sealing';
import { z } from 'zod';

const secretRecords: RecordKind<{ sealed: string }> = {
  name: 'server-secret',
  schema: z.object({ sealed: z.string() }),
};

/** A random secret of this server: made at the first start, kept sealed, and the same in every process. */
export async function serverSecret(records: RecordStore, kek: KeyEncryptionKey, id: string): Promise<string> {
  const context = { kind: secretRecords.name, id };
  const fresh = { sealed: await seal(kek, randomBytes(32), context) };
  const { sealed } = await transact(records, async (transaction) => {
    const known = await transaction.get(secretRecords, id);
    if (!known) await transaction.put(secretRecords, id, fresh, { expectedVersion: 0 });
    return known?.value ?? fresh;
  });
  return Buffer.from(await open(kek, sealed, context)).toString('base64url');
}
