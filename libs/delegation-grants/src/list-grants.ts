import type { DelegationGrant } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { withUse } from './get-grant.js';
import { grantRecords, toGrant } from './grant-records.js';

export interface GrantFilter {
  person?: string | undefined;
  agent?: string | undefined;
  resource?: string | undefined;
  /** As it is kept: expired grants are among the active ones. */
  state?: 'active' | 'revoked' | undefined;
  after?: string | undefined;
  limit: number;
}

/** One page of grants, in the order of their ids. `next` is where the next page begins; absent on the last. */
export async function listGrants(
  records: RecordReader,
  { after, limit, ...filter }: GrantFilter,
  nowMs: number,
): Promise<{ grants: DelegationGrant[]; next?: string }> {
  const where = Object.fromEntries(
    Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  // One more than asked for tells whether there is a next page.
  const found = await records.list(grantRecords, {
    limit: limit + 1,
    where,
    ...(after !== undefined && { afterId: after }),
  });
  const grants = found.slice(0, limit).map((record) => toGrant(record, nowMs));
  const last = grants.at(-1);
  return {
    grants: await withUse(records, grants),
    ...(found.length > limit && last && { next: last.id }),
  };
}
