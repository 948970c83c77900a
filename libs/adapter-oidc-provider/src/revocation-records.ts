import type { BehalfConfig } from '@behalf/config';
import { type Revocation, type RevocationKind, revocationCreated, revocationSchema } from '@behalf/contracts';
import type { RecordKind, RecordReader, RecordTransaction } from '@behalf/ports';

/** Resource servers allow for clocks that differ by seconds; a revocation must outlive that too. */
const clockMarginSeconds = 60;
const pageSize = 500;

export const revocationRecords: RecordKind<Revocation> = { name: 'revocation', schema: revocationSchema };

/** The longest that any access token lives, with a margin for clocks: how long a revocation has to be remembered. */
export function revocationLifetimeSeconds(config: BehalfConfig): number {
  const { accessTokenSeconds, exchangedTokenSeconds } = config.authorizationServer.lifetimes;
  return Math.max(accessTokenSeconds, exchangedTokenSeconds) + clockMarginSeconds;
}

export function revocationId(kind: RevocationKind, id: string): string {
  return `${kind}:${id}`;
}

/**
 * Writes a revocation and its event in the caller's transaction: both happen or neither. It takes the place of an
 * earlier one of the same thing.
 */
export async function writeRevocation(
  transaction: RecordTransaction,
  what: { kind: RevocationKind; id: string; issuedUntilMs?: number },
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  const expiresAtMs = when.nowMs + when.lifetimeSeconds * 1000;
  const revocation: Revocation = { ...what, revokedAtMs: when.nowMs, expiresAtMs };
  await transaction.put(revocationRecords, revocationId(what.kind, what.id), revocation, { expiresAtMs });
  await transaction.emit(revocationCreated, revocation);
}

/** Every revocation that can still touch a token. */
export async function liveRevocations(records: RecordReader): Promise<Revocation[]> {
  const all: Revocation[] = [];
  for (let afterId: string | undefined; ;) {
    const page = await records.list(revocationRecords, {
      limit: pageSize,
      ...(afterId !== undefined && { afterId }),
    });
    all.push(...page.map((record) => record.value));
    afterId = page.at(-1)?.id;
    if (page.length < pageSize) return all;
  }
}
