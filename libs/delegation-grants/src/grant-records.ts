import {
  type DelegationGrant,
  type DelegationGrantRecord,
  delegationGrantRecordSchema,
} from '@behalf/contracts';
import type { RecordKind, RecordTransaction, StoredRecord } from '@behalf/ports';
import { z } from 'zod';

/** How long a grant can still be looked at after its end. */
const keptMs = 30 * 24 * 3600 * 1000;

/** Grants by `grant_id`. */
export const grantRecords: RecordKind<DelegationGrantRecord> = {
  name: 'delegation-grant',
  schema: delegationGrantRecordSchema,
  keys: ({ person, agent, resource, state }) => ({ person, agent, resource, state }),
};

/** When a grant was last used: apart from it, since using a grant does not change it. */
export const grantUseRecords: RecordKind<{ lastUsedAtMs: number }> = {
  name: 'delegation-grant-use',
  schema: z.object({ lastUsedAtMs: z.int() }),
};

export function toGrant(
  { id, version, value }: StoredRecord<DelegationGrantRecord>,
  nowMs: number,
): DelegationGrant {
  const isOver = value.state === 'active' && value.expiresAtMs <= nowMs;
  return { ...value, id, version, state: isOver ? 'expired' : value.state };
}

/** Writes a grant. @returns it, as it is from now on */
export async function putGrant(
  transaction: RecordTransaction,
  id: string,
  value: DelegationGrantRecord,
  expectedVersion: number,
): Promise<DelegationGrant> {
  const expiresAtMs = value.expiresAtMs + keptMs;
  const version = await transaction.put(grantRecords, id, value, { expiresAtMs, expectedVersion });
  return { ...value, id, version };
}

/** The record of a grant as it was read. */
export function recordOf(grant: DelegationGrant): DelegationGrantRecord {
  return delegationGrantRecordSchema.parse(grant);
}
