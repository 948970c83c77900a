import { type KeyObject, sign } from 'node:crypto';
import { fromAsn1 } from './ecdsa-signature.js';

export interface JwtHeader {
  alg: 'ES256' | 'RS256';
  kid: string;
  typ: string;
}

const keyTypes = { ES256: 'ec', RS256: 'rsa' };

/**
 * Signs claims as a compact JWS (RFC 7515 §7.1). Does not look at what it signs.
 *
 * @throws TypeError for a key of another kind than the algorithm's
 */
export function signJwt(claims: Record<string, unknown>, header: JwtHeader, key: KeyObject): string {
  if (key.asymmetricKeyType !== keyTypes[header.alg]) throw new TypeError(`no key for ${header.alg}`);
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(claims)}`;
  const made = sign('sha256', Buffer.from(input), key);
  const signature = header.alg === 'ES256' ? fromAsn1(made) : made;
  return `${input}.${signature.toString('base64url')}`;
}
