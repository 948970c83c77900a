import { type ElicitationStatus, elicitationChanged } from '@behalf/contracts';
import { RecordConflict, type RecordStore, type RecordTransaction } from '@behalf/ports';
import { addConsent } from './consent.js';
import {
  type Elicitation,
  accountKey,
  askerKey,
  elicitationRecords,
  isLive,
  keptAfterMs,
} from './elicitation.js';
import { ElicitationRefusal } from './elicitation-refusal.js';
import { transition } from './transition.js';

/** How long the person may be away at the provider. @see MCP security best practices: "short expiration time (e.g., 10 minutes)" */
export const flowSeconds = 600;

interface Change {
  id: string;
  /** The person who is signed in where the change is made. */
  person: string;
  nowMs: number;
}

/** The elicitation, for the person it was made for. @throws ElicitationRefusal `not_found`, `other_person` */
export async function findElicitation(
  records: Pick<RecordStore, 'get'>,
  id: string,
  person: string,
): Promise<{ value: Elicitation; version: number }> {
  const found = await records.get(elicitationRecords, id);
  if (!found) throw new ElicitationRefusal({ kind: 'not_found' });
  // The attack: somebody sends the link of their own request to another, whose account they then use.
  if (found.value.person !== person) throw new ElicitationRefusal({ kind: 'other_person' });
  return found;
}

/** The person looks at it. */
export function openElicitation(change: Change, records: RecordStore): Promise<Elicitation> {
  return changeElicitation(change, 'opened', records);
}

/** The person agrees and leaves for the provider. */
export function agreeToElicitation(change: Change, records: RecordStore): Promise<Elicitation> {
  return changeElicitation(change, 'consented', records);
}

export function declineElicitation(change: Change, records: RecordStore): Promise<Elicitation> {
  return changeElicitation(change, 'declined', records);
}

/**
 * The account is connected. What the person agreed to counts from now on, and everything else that this asker was
 * waiting for and that it covers is done as well.
 *
 * @param work runs in the same transaction, after it is sure that this is the one who completes it
 */
export function completeElicitation(
  change: Change,
  records: RecordStore,
  work: (transaction: RecordTransaction, elicitation: Elicitation) => Promise<void> = async () => {},
): Promise<Elicitation> {
  return changeElicitation(change, 'completed', records, async (transaction, completed) => {
    await addConsent(transaction, completed, change.nowMs);
    await work(transaction, completed);
    const siblings = await transaction.list(elicitationRecords, { where: { asker: askerKey(completed) } });
    for (const { id, value } of siblings)
      if (
        id !== change.id &&
        isLive(value, change.nowMs) &&
        value.scopes.every((scope) => completed.scopes.includes(scope))
      )
        await write(transaction, id, transition(value, 'completed', change.nowMs));
  });
}

/** Closes whatever waits that `matches`, e.g. everything of an account that was disconnected. @returns how many */
export function cancelElicitations(
  where: { account: string } | { person: string; provider: string },
  records: RecordStore,
  nowMs: number,
): Promise<number> {
  const account = 'account' in where ? where.account : accountKey(where);
  return records.transaction(async (transaction) => {
    const found = await transaction.list(elicitationRecords, { where: { account } });
    const open = found.filter(({ value }) => isLive(value, nowMs));
    for (const { id, value } of open) await write(transaction, id, transition(value, 'cancelled', nowMs));
    return open.length;
  });
}

const attempts = 3;

async function changeElicitation(
  change: Change,
  to: ElicitationStatus,
  records: RecordStore,
  also: (transaction: RecordTransaction, changed: Elicitation) => Promise<void> = async () => {},
): Promise<Elicitation> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await records.transaction(async (transaction) => {
        const { value, version } = await findElicitation(transaction, change.id, change.person);
        const changed = withTimeForFlow(transition(value, to, change.nowMs), to, change.nowMs);
        await write(transaction, change.id, changed, version);
        await also(transaction, changed);
        return changed;
      });
    } catch (error) {
      // Another browser of the same person was first: look again, and let the state machine decide.
      if (!(error instanceof RecordConflict) || attempt === attempts) throw error;
    }
  }
}

/** Whoever agreed in the last minute still has the time that the provider takes. */
function withTimeForFlow(elicitation: Elicitation, to: ElicitationStatus, nowMs: number): Elicitation {
  if (to !== 'consented') return elicitation;
  return { ...elicitation, expiresAtMs: Math.max(elicitation.expiresAtMs, nowMs + flowSeconds * 1000) };
}

async function write(
  transaction: RecordTransaction,
  id: string,
  elicitation: Elicitation,
  expectedVersion?: number,
): Promise<void> {
  await transaction.put(elicitationRecords, id, elicitation, {
    expiresAtMs: elicitation.expiresAtMs + keptAfterMs,
    ...(expectedVersion !== undefined && { expectedVersion }),
  });
  const { status, provider } = elicitation;
  await transaction.emit(elicitationChanged, { id, status, provider });
}
