import type { DelegationGrant } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { DelegationRefusal } from './delegation-refusal.js';
import { grantRecords, grantUseRecords, toGrant } from './grant-records.js';

/** @throws DelegationRefusal `grant_unknown` */
export async function getGrant(records: RecordReader, id: string, nowMs: number): Promise<DelegationGrant> {
  const found = await records.get(grantRecords, id);
  if (!found) throw new DelegationRefusal({ kind: 'grant_unknown' });
  const [grant] = await withUse(records, [toGrant(found, nowMs)]);
  return grant as DelegationGrant;
}

/** Adds to grants when they were last used. */
export async function withUse(
  records: RecordReader,
  grants: readonly DelegationGrant[],
): Promise<DelegationGrant[]> {
  const ids = grants.map(({ id }) => id);
  if (ids.length === 0) return [];
  const uses = await records.list(grantUseRecords, { ids, limit: ids.length });
  const lastUses = new Map(uses.map(({ id, value }) => [id, value.lastUsedAtMs]));
  return grants.map((grant) => {
    const lastUsedAtMs = lastUses.get(grant.id);
    return { ...grant, ...(lastUsedAtMs !== undefined && { lastUsedAtMs }) };
  });
}
