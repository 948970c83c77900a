import { hash } from 'node:crypto';
import { tokenTypes } from '@behalf/oauth';
import type { ExchangeRequest } from '@behalf/token-exchange';

export interface EntryKeys {
  /** Where the entry is. Tells nothing about the token. */
  place: string;
  /** What the entry is sealed under: nobody can open it who has not got the token, and it opens for no other request. */
  key: Uint8Array;
}

/** Of the bytes that are derived, the first say where, the others are the key. */
const placeBytes = 32;

/** SHA-512 gives all of them in the first round. */
const counter = '\0\0\0\x01';
/** The secret, and what has been looked at. */
const special = new Set(['subject_token', 'requested_token_type']);

/**
 * The keys of the entry that answers a request; undefined for one that is not to be answered from a cache: what is
 * malformed, transaction tokens, of which each call has its own, and what comes of ID tokens, whose sign-in has to be
 * looked at each time.
 *
 * Everything that the answer can depend on is in them: the presented token as the secret, and beside it the client, its
 * ceiling, the keys it proved or showed to be proved, and every other parameter with its value. A parameter that is not known here is in it,
 * too, so that one which is added later cannot be forgotten.
 *
 * @see NIST SP 800-56Cr2 §4.1, option 1: place and key are two parts of one output, of which neither tells the other
 */
export function entryKeys({
  client,
  parameters,
  proof,
  relayedProof,
}: ExchangeRequest): EntryKeys | undefined {
  const { subject_token: subjectToken, requested_token_type: requestedType } = parameters;
  if (parameters['subject_token_type'] === tokenTypes.idToken) return undefined;
  if (typeof subjectToken !== 'string' || subjectToken === '') return undefined;
  if (requestedType !== undefined && requestedType !== tokenTypes.accessToken) return undefined;
  const named: unknown[] = [];
  for (const name of Object.keys(parameters).sort())
    if (parameters[name] !== undefined && !special.has(name)) named.push(name, parameters[name]);
  const { jkt, 'x5t#S256': certificate } = proof ?? {};
  const { jkt: relayed, url } = relayedProof ?? {};
  const keys = [jkt, certificate, relayed, url].map((key) => key ?? null);
  // There is no NUL in JSON, so that the last one ends the token, whatever is in it.
  const fixedInfo = `\0behalf exchange ${JSON.stringify([client, ...keys, named])}`;
  const derived = hash('sha512', `${counter}${subjectToken}${fixedInfo}`, 'buffer');
  return { place: derived.toString('base64url', 0, placeBytes), key: derived.subarray(placeBytes) };
}
