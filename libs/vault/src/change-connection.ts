import { connectionChanged } from '@behalf/contracts';
import { RecordConflict, type RecordStore, type RecordTransaction, type StoredRecord } from '@behalf/ports';
import { type ConnectionReason, type ConnectionRecord, connectionKind } from './connection.js';

const maxAttempts = 10;

/**
 * Writes a connection and, when its status or tokens are others, tells everybody in the same transaction. The version read is the version replaced.
 *
 * @param also what is written with it or not at all
 * @throws RecordConflict when another was first
 */
export async function writeConnection(
  records: RecordStore,
  id: string,
  value: ConnectionRecord,
  before: StoredRecord<ConnectionRecord> | undefined,
  also: (transaction: RecordTransaction) => Promise<unknown> = async () => {},
): Promise<StoredRecord<ConnectionRecord>> {
  const version = await records.transaction(async (transaction) => {
    const options = { expectedVersion: before?.version ?? 0 };
    const written = await transaction.put(connectionKind, id, value, options);
    await also(transaction);
    // That a refresh has begun, or is to be tried later, is nobody else's business.
    if (isSame(before?.value, value)) return written;
    const { owner, tenant, providerId, resource, status, reason, credentialVersion } = value;
    const event = { id, owner, tenant, providerId, resource, status, credentialVersion };
    await transaction.emit(connectionChanged, { ...event, ...(reason !== undefined && { reason }) });
    return written;
  });
  return { id, value, version, expiresAtMs: undefined };
}

/**
 * Changes a connection as it is now: of two changes at once the second sees the first.
 *
 * @param change gives the new value, or undefined to leave it
 * @returns the connection as it then is; undefined when there is none
 * @throws RecordConflict when others were first ten times in a row
 */
export async function changeConnection(
  records: RecordStore,
  id: string,
  change: (
    current: StoredRecord<ConnectionRecord>,
  ) => Promise<ConnectionRecord | undefined> | ConnectionRecord | undefined,
  also: (
    transaction: RecordTransaction,
    before: StoredRecord<ConnectionRecord>,
  ) => Promise<unknown> = async () => {},
): Promise<StoredRecord<ConnectionRecord> | undefined> {
  for (let attempt = 1; ; attempt++) {
    const current = await records.get(connectionKind, id);
    const next = current && (await change(current));
    if (!current || !next) return current;
    try {
      return await writeConnection(records, id, next, current, (transaction) => also(transaction, current));
    } catch (error) {
      if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
    }
  }
}

function isSame(one: ConnectionRecord | undefined, other: ConnectionRecord): boolean {
  return one?.status === other.status && one.credentialVersion === other.credentialVersion;
}

/** Without its tokens, and why. The version stays, so that the next tokens get a greater one. */
export function ended(
  value: ConnectionRecord,
  status: 'needs_consent' | 'disconnected',
  reason: ConnectionReason,
  nowMs: number,
): ConnectionRecord {
  const { sealed: _sealed, refresh: _refresh, ...rest } = value;
  return { ...rest, status, reason, statusSinceMs: nowMs, isRefreshable: false };
}
