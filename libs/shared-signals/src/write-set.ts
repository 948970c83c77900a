import type { RecordTransaction } from '@behalf/ports';
import { streamEvents } from './event-types.js';
import type { TransmitterDependencies } from './ports.js';
import { buildSetClaims, type Signal } from './security-event-token.js';
import { setRecords } from './stream.js';

/** After that, what nobody took is forgotten. */
const keptMs = 7 * 24 * 3600_000;

/** Puts one token where its receiver gets it from. */
export async function writeSet(
  transaction: RecordTransaction,
  streamId: string,
  audience: string,
  signal: Signal,
  { issuer, clock, newId }: Pick<TransmitterDependencies, 'issuer' | 'clock' | 'newId'>,
  id: string,
): Promise<void> {
  const nowMs = clock.nowMs();
  const jti = newId();
  const claims = buildSetClaims(signal, { issuer, audience, jti, nowSeconds: Math.floor(nowMs / 1000) });
  const isAboutStream = signal.type === streamEvents.updated;
  const value = { streamId, jti, isAboutStream, claims: JSON.parse(JSON.stringify(claims)) };
  await transaction.put(setRecords, id, value, { expiresAtMs: nowMs + keptMs });
}
