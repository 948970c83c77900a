import type { RecordKind, RecordReader, RecordTransaction } from '@behalf/ports';
import { z } from 'zod';
import { type Elicitation, accountKey, askerKey } from './elicitation.js';

/**
 * A person agreed that this client, through these actors, uses their account with these scopes. Kept for each asker
 * apart: a connection that one agent brought about opens nothing for another (the confused deputy).
 *
 * @see MCP security best practices, "Confused Deputy Problem"
 */
export const consentSchema = z.object({
  person: z.string(),
  provider: z.string(),
  client: z.string(),
  actors: z.array(z.string()),
  scopes: z.array(z.string()),
  agreedAtMs: z.int(),
  lastUsedAtMs: z.int().optional(),
});
export type Consent = z.output<typeof consentSchema>;

export const consentRecords: RecordKind<Consent> = {
  name: 'third-party-consent',
  schema: consentSchema,
  keys: (consent) => ({ account: accountKey(consent), person: consent.person }),
};

type Asker = Pick<Elicitation, 'person' | 'provider' | 'client' | 'actors'>;

export async function findConsent(records: RecordReader, asker: Asker): Promise<Consent | undefined> {
  return (await records.get(consentRecords, askerKey(asker)))?.value;
}

/** Adds what the person agreed to now to what they agreed to before. */
export async function addConsent(
  transaction: RecordTransaction,
  { person, provider, client, actors, scopes }: Elicitation,
  nowMs: number,
): Promise<void> {
  const asker = { person, provider, client, actors };
  const before = await findConsent(transaction, asker);
  const all = [...new Set([...(before?.scopes ?? []), ...scopes])].toSorted();
  await transaction.put(consentRecords, askerKey(asker), {
    ...before,
    ...asker,
    scopes: all,
    agreedAtMs: nowMs,
  });
}

const useResolutionMs = 60_000;

/**
 * Notes that the consent was used, to the minute: a busy agent must not make every call a write.
 *
 * @returns false when it is not there any more
 */
export async function noteUse(transaction: RecordTransaction, asker: Asker, nowMs: number): Promise<boolean> {
  const consent = await findConsent(transaction, asker);
  if (!consent) return false;
  if (nowMs - (consent.lastUsedAtMs ?? 0) >= useResolutionMs)
    await transaction.put(consentRecords, askerKey(asker), { ...consent, lastUsedAtMs: nowMs });
  return true;
}
