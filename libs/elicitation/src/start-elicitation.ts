import { type ThirdPartyTokenRequest, elicitationChanged } from '@behalf/contracts';
import type { RecordStore } from '@behalf/ports';
import {
  type Elicitation,
  askerKey,
  elicitationRecords,
  fingerprintOf,
  isLive,
  keptAfterMs,
} from './elicitation.js';
import { ElicitationRefusal } from './elicitation-refusal.js';

/** What one asker may have waiting for one person: past it, it is the asker's loop and not the person's wish. */
const maxPendingPerAsker = 20;

export interface StartedElicitation {
  id: string;
  elicitation: Elicitation;
}

/**
 * Finds the elicitation that already waits for the same, or begins one.
 *
 * @throws ElicitationRefusal `too_many_pending`
 */
export function startElicitation(
  request: ThirdPartyTokenRequest,
  provider: string,
  {
    records,
    newId,
    nowMs,
    seconds,
  }: { records: RecordStore; newId: () => string; nowMs: number; seconds: number },
): Promise<StartedElicitation> {
  const { person, client, actors, names, resource, scopes, grantId, sid, txn } = request;
  const wanted: Elicitation = {
    person,
    client,
    actors,
    names,
    provider,
    resource,
    scopes,
    ...(request.request && { request: request.request }),
    origin: {
      ...(grantId !== undefined && { grantId }),
      ...(sid !== undefined && { sid }),
      ...(txn !== undefined && { txn }),
    },
    createdAtMs: nowMs,
    expiresAtMs: nowMs + seconds * 1000,
    status: 'pending',
    statusSinceMs: nowMs,
  };
  return records.transaction(async (transaction) => {
    const same = await transaction.list(elicitationRecords, {
      where: { fingerprint: fingerprintOf(wanted) },
    });
    const waiting = same.find(({ value }) => isLive(value, nowMs));
    if (waiting) return { id: waiting.id, elicitation: waiting.value };
    const ofAsker = await transaction.list(elicitationRecords, { where: { asker: askerKey(wanted) } });
    if (ofAsker.filter(({ value }) => isLive(value, nowMs)).length >= maxPendingPerAsker)
      throw new ElicitationRefusal({ kind: 'too_many_pending' });
    const id = newId();
    await transaction.put(elicitationRecords, id, wanted, {
      expectedVersion: 0,
      expiresAtMs: wanted.expiresAtMs + keptAfterMs,
    });
    await transaction.emit(elicitationChanged, { id, status: 'pending', provider });
    return { id, elicitation: wanted };
  });
}
