import type { PublicJwk } from '@behalf/contracts';
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { AgentRefusal } from './agent-refusal.js';

/** Of any key type. @see RFC 7518 §6, RFC 8037 §2, RFC 9964 */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const minRsaBits = 2048;
const maxRsaBits = 8192;
const maxKidChars = 200;

/** What the token endpoint verifies assertions with, by type of key. The first is what it is checked by here. */
const algorithms: Record<string, readonly string[]> = {
  EC: ['ES256'],
  OKP: ['EdDSA', 'Ed25519'],
  RSA: ['RS256', 'PS256'],
};

/**
 * Validates a public key that an agent signs assertions with, and returns it reduced to what a public key is: nothing
 * that came along (certificates, URLs, comments) is kept. A key without `kid` gets its thumbprint.
 *
 * Private and symmetric key material is refused, not stripped: it has left the agent, so the key is burnt.
 * Does not prove that anybody holds the private key.
 *
 * @throws AgentRefusal `key_unacceptable`
 * @see RFC 7517 §4, RFC 7638
 */
export async function validatePublicKey(presented: Record<string, unknown>): Promise<PublicJwk> {
  const fault = (text: string): AgentRefusal => new AgentRefusal({ kind: 'key_unacceptable', fault: text });
  if (privateMembers.some((member) => presented[member] !== undefined)) {
    throw fault('holds private or symmetric key material, and is compromised now');
  }
  const { kty, kid, alg, use, crv } = presented;
  const accepted = typeof kty === 'string' ? algorithms[kty] : undefined;
  if (!accepted) throw fault('must be of type EC, OKP or RSA');
  if (use !== undefined && use !== 'sig') throw fault('is not for signatures');
  if (alg !== undefined && !accepted.includes(alg as string)) {
    throw fault(`must be for ${accepted.join(' or ')}`);
  }
  if (kty === 'EC' && crv !== 'P-256') throw fault('must be on the curve P-256');
  if (kty === 'OKP' && crv !== 'Ed25519') throw fault('must be on the curve Ed25519');
  if (
    kid !== undefined &&
    (typeof kid !== 'string' || !/^[\x21-\x7e]+$/.test(kid) || kid.length > maxKidChars)
  ) {
    throw fault('has a malformed kid');
  }
  const members = kty === 'RSA' ? ['n', 'e'] : kty === 'EC' ? ['crv', 'x', 'y'] : ['crv', 'x'];
  const key: Record<string, unknown> = { kty };
  for (const member of members) key[member] = presented[member];
  if (!members.every((member) => typeof key[member] === 'string')) throw fault(`needs ${members.join(', ')}`);
  if (kty === 'RSA') {
    const bits = Buffer.from(key['n'] as string, 'base64url').length * 8;
    if (bits < minRsaBits || bits > maxRsaBits) throw fault(`must have ${minRsaBits} to ${maxRsaBits} bits`);
    if (key['e'] !== 'AQAB') throw fault('must have the exponent 65537');
  }
  try {
    // Also finds points that are not on the curve.
    await importJWK(key as JWK, accepted[0]);
  } catch {
    throw fault('is no valid public key');
  }
  const named = kid ?? (await calculateJwkThumbprint(key));
  return { ...key, kid: named, ...(alg !== undefined && { alg }), use: 'sig' } as PublicJwk;
}
