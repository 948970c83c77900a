import { createHash } from 'node:crypto';
import type { RecordKind, RecordReader, RecordTransaction } from '@behalf/ports';
import { z } from 'zod';

const consentSchema = z.object({
  person: z.string(),
  clientId: z.string(),
  /** The grant that holds what was agreed to. */
  grantId: z.string(),
  /** Where answers may go without asking again. */
  redirectHosts: z.array(z.string()),
});
export type Consent = z.output<typeof consentSchema>;

/** What a person has decided about a client. */
export const consentRecords: RecordKind<Consent> = {
  name: 'consent',
  schema: consentSchema,
  keys: ({ person, clientId }) => ({ person, clientId }),
};

export async function findConsent(
  records: RecordReader,
  person: string,
  clientId: string,
): Promise<Consent | undefined> {
  return (await records.get(consentRecords, consentId(person, clientId)))?.value;
}

/** Remembers a decision. Hosts agreed to earlier under the same grant stay. */
export async function rememberConsent(
  transaction: RecordTransaction,
  decision: { person: string; clientId: string; grantId: string; redirectUri: string },
): Promise<void> {
  const { person, clientId, grantId, redirectUri } = decision;
  const earlier = await findConsent(transaction, person, clientId);
  const hosts = earlier?.grantId === grantId ? earlier.redirectHosts : [];
  await transaction.put(consentRecords, consentId(person, clientId), {
    person,
    clientId,
    grantId,
    redirectHosts: [...new Set([...hosts, redirectHost(redirectUri)])],
  });
}

/** Every consent of a person, a page of them. */
export async function listConsents(records: RecordReader, person: string): Promise<Consent[]> {
  return (await records.list(consentRecords, { where: { person } })).map(({ value }) => value);
}

export async function forgetConsent(
  transaction: RecordTransaction,
  { person, clientId }: Pick<Consent, 'person' | 'clientId'>,
): Promise<void> {
  await transaction.delete(consentRecords, consentId(person, clientId));
}

/** What of a redirect URI a person agrees to: ports of the own machine change from run to run. */
export function redirectHost(redirectUri: string): string {
  return new URL(redirectUri).hostname;
}

function consentId(person: string, clientId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([person, clientId]))
    .digest('base64url');
}
