import { randomUUID } from 'node:crypto';
import type { BehalfConfig } from '@behalf/config';
import { type Revocation, type RevocationKind, revocationCreated, revocationSchema } from '@behalf/contracts';
import type { RecordKind, RecordReader, RecordTransaction } from '@behalf/ports';
import { issuerClockSpreadMs } from './issuer-clocks.js';

/**
 * As much as the clocks of two servers may differ: of the one that issued a token and the one that revokes it. Otherwise
 * the revocation would be forgotten before the token is over.
 */
const clockMarginSeconds = 15 * 60;
const pageSize = 500;
/** Longer than a transaction may take, and than clocks of servers differ. */
const settledAfterMs = 30_000;

export const revocationRecords: RecordKind<Revocation> = { name: 'revocation', schema: revocationSchema };

/** The same in the order in which they were made, for enforcement points that have to catch up. */
const revocationLog: RecordKind<Revocation> = { name: 'revocation-log', schema: revocationSchema };

/** The longest that any access token lives, with a margin for clocks: how long a revocation has to be remembered. */
export function revocationLifetimeSeconds(config: BehalfConfig): number {
  const { accessTokenSeconds, exchangedTokenSeconds } = config.authorizationServer.lifetimes;
  return Math.max(accessTokenSeconds, exchangedTokenSeconds) + clockMarginSeconds;
}

export function revocationId(kind: RevocationKind, id: string): string {
  return `${kind}:${id}`;
}

interface Revoked {
  kind: RevocationKind;
  id: string;
  /** By the clock of whoever revokes. */
  issuedUntilMs?: number;
  person?: string | undefined;
}

/**
 * Writes a revocation and its event in the caller's transaction: both happen or neither. It takes the place of an
 * earlier one of the same thing.
 */
export async function writeRevocation(
  transaction: RecordTransaction,
  { issuedUntilMs, ...what }: Revoked,
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  const expiresAtMs = when.nowMs + when.lifetimeSeconds * 1000;
  const revocation: Revocation = {
    ...what,
    // The attack: a token of a replica whose clock is ahead says that it was issued after this.
    ...(issuedUntilMs !== undefined && {
      issuedUntilMs: issuedUntilMs + (await issuerClockSpreadMs(transaction)),
    }),
    revokedAtMs: when.nowMs,
    expiresAtMs,
  };
  await transaction.put(revocationRecords, revocationId(what.kind, what.id), revocation, { expiresAtMs });
  await transaction.put(revocationLog, logId(when.nowMs, randomUUID()), revocation, { expiresAtMs });
  await transaction.emit(revocationCreated, revocation);
}

export interface RevocationPage {
  revocations: Revocation[];
  cursor?: string;
  more: boolean;
}

/** The revocations that can still touch a token and were made after the cursor of a page, at most one page of them. */
export async function listRevocationsAfter(
  records: RecordReader,
  after: string | undefined,
  nowMs: number,
): Promise<RevocationPage> {
  const page = await records.list(revocationLog, {
    limit: pageSize,
    ...(after !== undefined && { afterId: after }),
  });
  const revocations = page.map(({ value }) => value);
  const last = page.at(-1)?.id ?? after;
  if (page.length === pageSize && last !== undefined) return { revocations, cursor: last, more: true };
  // One that was begun before the last of these may be committed after it, or its writer's clock may be behind.
  const settled = logId(nowMs - settledAfterMs, '');
  const cursor = last !== undefined && last < settled ? last : settled;
  return { revocations, cursor, more: false };
}

/** Ids sort by time: that of the writer. */
function logId(atMs: number, name: string): string {
  return `${String(Math.max(0, atMs)).padStart(15, '0')}:${name}`;
}
