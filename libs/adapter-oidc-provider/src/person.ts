import { createHash, randomBytes } from 'node:crypto';
import type { RecordKind, RecordReader, RecordStore } from '@behalf/ports';
import { z } from 'zod';
import { transact } from './transact.js';

const personSchema = z.object({ name: z.string(), groups: z.array(z.string()) });
export type Person = z.output<typeof personSchema>;

/** People who have signed in, by `sub`. */
export const personRecords: RecordKind<Person> = { name: 'person', schema: personSchema };

const identitySchema = z.object({ sub: z.string() });
const identityRecords: RecordKind<{ sub: string }> = { name: 'upstream-identity', schema: identitySchema };

/** Keeps what the sign-in told about a person, for the tokens issued from now on. */
export async function savePerson(records: RecordStore, sub: string, person: Person): Promise<void> {
  await transact(records, (transaction) => transaction.put(personRecords, sub, person));
}

/**
 * The `sub` of a person who signed in elsewhere: made up at the first sign-in and the same ever after.
 *
 * The upstream's own `sub` is never used as ours: it may equal a local one, or another upstream's.
 */
export async function resolveUpstreamPerson(
  records: RecordStore,
  identity: Identity,
  person: Person,
): Promise<string> {
  const id = identityId(identity);
  return transact(records, async (transaction) => {
    const known = await transaction.get(identityRecords, id);
    const sub = known?.value.sub ?? `person_${randomBytes(16).toString('base64url')}`;
    if (!known) await transaction.put(identityRecords, id, { sub }, { expectedVersion: 0 });
    await transaction.put(personRecords, sub, person);
    return sub;
  });
}

interface Identity {
  issuer: string;
  subject: string;
}

/** Who somebody is here whom another issuer names, if they have signed in with it before. */
export async function findUpstreamPerson(
  records: RecordReader,
  identity: Identity,
): Promise<{ sub: string; groups: string[] } | undefined> {
  const known = await records.get(identityRecords, identityId(identity));
  const person = known && (await records.get(personRecords, known.value.sub));
  return person && { sub: known.value.sub, groups: person.value.groups };
}

function identityId({ issuer, subject }: Identity): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');
}
