import { caepEvents, riscEvents } from './event-types.js';
import type { Subject } from './subject-identifier.js';
import { SetRefusal, type VerifiedSet } from './verify-set.js';

/** What a signal means for who it is about. */
export interface HeardSignal {
  /** What the transmitter calls them. */
  sub: string;
  /** Tokens that were issued about them are over. */
  endsTokens: boolean;
  /** And so is every sign-in of theirs. */
  endsSignIns: boolean;
  /** And what they agreed to lend. */
  endsConnections: boolean;
}

type Ends = Pick<HeardSignal, 'endsTokens' | 'endsSignIns' | 'endsConnections'>;
const everything: Ends = { endsTokens: true, endsSignIns: true, endsConnections: true };
const signIns: Ends = { endsTokens: true, endsSignIns: true, endsConnections: false };
const tokens: Ends = { endsTokens: true, endsSignIns: false, endsConnections: false };

const meanings: ReadonlyMap<string, Ends> = new Map([
  [caepEvents.sessionRevoked, signIns],
  // New tokens have the new claims; a sign-in goes on.
  [caepEvents.tokenClaimsChange, tokens],
  [caepEvents.credentialChange, everything],
  [riscEvents.sessionsRevoked, signIns],
  [riscEvents.accountDisabled, everything],
  [riscEvents.accountPurged, everything],
  [riscEvents.credentialChangeRequired, signIns],
  [riscEvents.credentialCompromise, everything],
  [riscEvents.tokensRevoked, { ...tokens, endsConnections: true }],
]);

/**
 * What is to be done about a signal; undefined for one that says nothing to us, which is to be acknowledged all the same.
 *
 * @throws SetRefusal `access_denied`: the attack is a transmitter that speaks of the people of another one
 */
export function hearSignal({ type, subject }: VerifiedSet, issuer: string): HeardSignal | undefined {
  const ends = meanings.get(type);
  const person = subject && personIn(subject);
  if (!ends || !person) return undefined;
  if (person.iss !== issuer) throw new SetRefusal('access_denied', 'the subject is of another issuer');
  return { sub: person.sub, ...ends };
}

/** Only names that their issuer gave: an e-mail address may be somebody else's tomorrow. */
function personIn(subject: Subject): { iss: string; sub: string } | undefined {
  const person = subject.format === 'complex' ? subject.user : subject;
  return person?.format === 'iss_sub' ? person : undefined;
}
