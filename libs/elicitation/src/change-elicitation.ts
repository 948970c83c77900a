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
  statusAt,
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

export interface ChangedElicitation {
  elicitation: Elicitation;
  /** Of the record, as it is now. */
  version: number;
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
export function openElicitation(change: Change, records: RecordStore): Promise<ChangedElicitation> {
  return changeElicitation(change, 'opened', records);
}

/**
 * The person agrees and leaves for the provider. Who agrees twice goes on with the second time: only the version that
 * this returns can complete it.
 */
export function agreeToElicitation(change: Change, records: RecordStore): Promise<ChangedElicitation> {
  return changeElicitation(change, 'consented', records);
}

export function declineElicitation(change: Change, records: RecordStore): Promise<ChangedElicitation> {
  return changeElicitation(change, 'declined', records);
}

/**
 * The account is connected. What the person agreed to counts from now on, and everything else that this asker was
 * waiting for and that it covers is done as well.
 *
 * @param version that the agreement led to
 * @throws ElicitationRefusal `superseded` when the person agreed again since
 */
export function completeElicitation(
  change: Change & { version: number },
  records: RecordStore,
): Promise<ChangedElicitation> {
  return changeElicitation(change, 'completed', records, async (transaction, completed) => {
    await addConsent(transaction, completed, change.nowMs);
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

/**
 * Closes whatever waits for a person about their account.
 *
 * @param untilMs what was begun later goes on
 * @returns how many
 */
export function cancelElicitations(
  account: Pick<Elicitation, 'person' | 'provider'>,
  records: RecordStore,
  nowMs: number,
  untilMs: number = Infinity,
): Promise<number> {
  const isFormer = ({ createdAtMs }: Elicitation): boolean => createdAtMs <= untilMs;
  return cancelWhere({ account: accountKey(account) }, isFormer, records, nowMs);
}

/**
 * Closes whatever waits, of everybody, that `matches`: what was begun by an agent, a grant or a session that ended.
 *
 * @returns how many
 */
export function cancelMatching(
  matches: (elicitation: Elicitation) => boolean,
  records: RecordStore,
  nowMs: number,
): Promise<number> {
  return cancelWhere({ isOver: 'false' }, matches, records, nowMs);
}

const pageSize = 200;

/** Closes whatever waits, of those that these keys find. @returns how many */
export function cancelWhere(
  where: Record<string, string>,
  matches: (elicitation: Elicitation) => boolean,
  records: RecordStore,
  nowMs: number,
): Promise<number> {
  const isWanted = (value: Elicitation): boolean => isLive(value, nowMs) && matches(value);
  return endWhere(where, isWanted, (value) => transition(value, 'cancelled', nowMs), records);
}

/** Writes down of whatever nobody has finished in time that it has expired, and so tells of it. @returns how many */
export function expireElicitations(records: RecordStore, nowMs: number): Promise<number> {
  const expire = (value: Elicitation): Elicitation => ({
    ...value,
    status: 'expired',
    statusSinceMs: value.expiresAtMs,
  });
  return endWhere(
    { isOver: 'false' },
    (value) => value.status !== 'expired' && statusAt(value, nowMs) === 'expired',
    expire,
    records,
  );
}

async function endWhere(
  where: Record<string, string>,
  isWanted: (elicitation: Elicitation) => boolean,
  end: (elicitation: Elicitation) => Elicitation,
  records: RecordStore,
): Promise<number> {
  let ended = 0;
  for (let afterId: string | undefined; ;) {
    const page = await records.list(elicitationRecords, {
      where,
      limit: pageSize,
      ...(afterId !== undefined && { afterId }),
    });
    for (const { id, value } of page)
      if (isWanted(value) && (await endOne(id, isWanted, end, records))) ended += 1;
    afterId = page.at(-1)?.id;
    if (page.length < pageSize) return ended;
  }
}

/** False when it ended by itself meanwhile, or goes on. */
function endOne(
  id: string,
  isWanted: (elicitation: Elicitation) => boolean,
  end: (elicitation: Elicitation) => Elicitation,
  records: RecordStore,
): Promise<boolean> {
  return retried(() =>
    records.transaction(async (transaction) => {
      const found = await transaction.get(elicitationRecords, id);
      if (!found || !isWanted(found.value)) return false;
      await write(transaction, id, end(found.value), found.version);
      return true;
    }),
  );
}

const attempts = 3;

function changeElicitation(
  change: Change & { version?: number },
  to: ElicitationStatus,
  records: RecordStore,
  also: (transaction: RecordTransaction, changed: Elicitation) => Promise<void> = async () => {},
): Promise<ChangedElicitation> {
  return retried(() =>
    records.transaction(async (transaction) => {
      const { value, version } = await findElicitation(transaction, change.id, change.person);
      const changed = withTimeForFlow(transition(value, to, change.nowMs), to, change.nowMs);
      if ((change.version ?? version) !== version) throw new ElicitationRefusal({ kind: 'superseded' });
      const written = await write(transaction, change.id, changed, version);
      await also(transaction, changed);
      return { elicitation: changed, version: written };
    }),
  );
}

/** Where another writer was first: looks again, and lets the state machine decide. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
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
): Promise<number> {
  const version = await transaction.put(elicitationRecords, id, elicitation, {
    expiresAtMs: elicitation.expiresAtMs + keptAfterMs,
    ...(expectedVersion !== undefined && { expectedVersion }),
  });
  const { status, provider } = elicitation;
  await transaction.emit(elicitationChanged, { id, status, provider });
  return version;
}
