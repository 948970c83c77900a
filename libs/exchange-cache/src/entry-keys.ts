import { createHmac, hash } from 'node:crypto';
import { tokenTypes } from '@behalf/oauth';
import type { ExchangeRequest } from '@behalf/token-exchange';

export interface EntryKeys {
  /** Where the entry is. Tells nothing about the token. */
  place: string;
  /** What the entry is sealed under: nobody can open it who has not got the token. */
  secret: string;
  /** What is sealed for one request opens for no other. */
  purpose: string;
}

/**
 * The keys of the entry that answers a request; undefined for one that is not to be answered from a cache: what is
 * malformed, transaction tokens, of which each call has its own, and what comes of ID tokens, whose sign-in has to be
 * looked at each time.
 *
 * Everything that the answer can depend on is in them: the presented token as the secret, and beside it the client, its
 * ceiling, the keys it proved or showed to be proved, and every other parameter with its value. A parameter that is not known here is in it,
 * too, so that one which is added later cannot be forgotten.
 */
export function entryKeys({
  client,
  parameters,
  proof,
  relayedProof,
}: ExchangeRequest): EntryKeys | undefined {
  const { subject_token: subjectToken, requested_token_type: requestedType, ...others } = parameters;
  if (others['subject_token_type'] === tokenTypes.idToken) return undefined;
  if (typeof subjectToken !== 'string' || subjectToken === '') return undefined;
  if (requestedType !== undefined && requestedType !== tokenTypes.accessToken) return undefined;
  const named = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const { jkt, 'x5t#S256': certificate } = proof ?? {};
  const { jkt: relayed, url } = relayedProof ?? {};
  const keys = [jkt, certificate, relayed, url].map((key) => key ?? null);
  const asked = JSON.stringify([client, ...keys, named]);
  const purpose = `exchange ${hash('sha256', asked, 'base64url')}`;
  return {
    place: createHmac('sha256', subjectToken).update(purpose).digest('base64url'),
    secret: subjectToken,
    purpose,
  };
}
