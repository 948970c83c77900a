import type { Confirmation } from '@behalf/oauth';
import type { ExchangeDependencies, ExchangeRequest, SubjectToken } from './ports.js';

/**
 * The key that a resource shows to have seen proved: whoever called it made a DPoP proof for it, with this token, and the
 * resource hands that on. Undefined when it is not this client's to hand on.
 *
 * It counts from a program that serves the resource which the token is for, for a proof that was made there, and next to
 * a key of the client's own that the issued token is bound to. The attack: whoever once saw a bound token and a proof in
 * passing makes a token of them that is bound to nothing, or to a key of theirs.
 *
 * @see RFC 9449 §4.3, §7
 */
export function relayedKey(
  { kind, claims }: SubjectToken,
  { client, proof, relayedProof }: Pick<ExchangeRequest, 'client' | 'proof' | 'relayedProof'>,
  { findTarget }: Pick<ExchangeDependencies, 'findTarget'>,
): Confirmation | undefined {
  if (relayedProof === undefined || proof?.jkt === undefined || kind !== 'access_token') return undefined;
  const resource = findTarget(claims.aud);
  const isMadeForClient =
    resource?.servedBy.includes(client.clientId) &&
    findTarget(relayedProof.url)?.resource === resource.resource;
  return isMadeForClient ? { jkt: relayedProof.jkt } : undefined;
}
