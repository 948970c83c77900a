import type { RecordReader, RecordTransaction } from '@behalf/ports';
import { writeRevocation } from './revocation-records.js';
import { artifactRecords, type StoredArtifact } from './stored-artifact.js';

/** What a sign-in leaves behind that can be redeemed for tokens later. */
const issuedInSession = ['AuthorizationCode', 'RefreshToken'];

/** One sign-in of a person in one browser. */
export interface PersonSession {
  uid: string;
  signedInAtMs: number | undefined;
}

/** The sign-ins of a person that are alive, a page of them. */
export async function listSessions(records: RecordReader, person: string): Promise<PersonSession[]> {
  const found = await records.list(artifactRecords('Session'), { where: { accountId: person } });
  return found.flatMap(({ value }) => toSession(value));
}

/**
 * Ends every sign-in of a person, in all browsers, with the tokens that were issued in them and all that was exchanged
 * for those. What they have agreed to stays: who signs in again is not asked again.
 *
 * @returns the sign-ins that were ended
 */
export async function endSessions(
  transaction: RecordTransaction,
  person: string,
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<PersonSession[]> {
  const ended: PersonSession[] = [];
  for (;;) {
    const found = await transaction.list(artifactRecords('Session'), { where: { accountId: person } });
    if (found.length === 0) return ended;
    for (const { id, value } of found) {
      await transaction.delete(artifactRecords('Session'), id);
      for (const session of toSession(value)) {
        await endIssuedIn(transaction, { sessionUid: session.uid, person }, when);
        ended.push(session);
      }
    }
  }
}

/** Ends one sign-in in the same way, be it over or not. */
export async function endSession(
  transaction: RecordTransaction,
  uid: string,
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  const found = await transaction.list(artifactRecords('Session'), { where: { uid } });
  for (const { id } of found) await transaction.delete(artifactRecords('Session'), id);
  await endIssuedIn(transaction, { sessionUid: uid, person: found[0]?.value.accountId }, when);
}

async function endIssuedIn(
  transaction: RecordTransaction,
  { sessionUid, person }: { sessionUid: string; person: string | undefined },
  when: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  for (const model of issuedInSession) {
    const kind = artifactRecords(model);
    for (;;) {
      const found = await transaction.list(kind, { where: { sessionUid } });
      if (found.length === 0) break;
      for (const { id } of found) await transaction.delete(kind, id);
    }
  }
  await writeRevocation(transaction, { kind: 'session', id: sessionUid, person }, when);
}

function toSession({ uid, loginTs }: StoredArtifact): PersonSession[] {
  if (uid === undefined) return [];
  return [{ uid, signedInAtMs: typeof loginTs === 'number' ? loginTs * 1000 : undefined }];
}
