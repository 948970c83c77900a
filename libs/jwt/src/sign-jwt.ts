import { type KeyObject, sign } from 'node:crypto';
import { fromAsn1 } from './ecdsa-signature.js';

export interface JwtHeader {
  alg: 'ES256' | 'RS256';
  kid: string;
  typ: string;
}

/** What is signed by one key for one use begins alike each time. */
const encodedHeaders = new WeakMap<KeyObject, { header: JwtHeader; encoded: string }>();

const keyTypes = { ES256: 'ec', RS256: 'rsa' };

/**
 * Signs claims as a compact JWS (RFC 7515 §7.1). Does not look at what it signs.
 *
 * @throws TypeError for a key of another kind than the algorithm's
 */
export function signJwt(claims: Record<string, unknown>, header: JwtHeader, key: KeyObject): string {
  if (key.asymmetricKeyType !== keyTypes[header.alg]) throw new TypeError(`no key for ${header.alg}`);
  const input = `${encodeHeader(header, key)}.${encode(claims)}`;
  const made = sign('sha256', Buffer.from(input), key);
  const signature = header.alg === 'ES256' ? fromAsn1(made) : made;
  return `${input}.${signature.toString('base64url')}`;
}

function encodeHeader(header: JwtHeader, key: KeyObject): string {
  const last = encodedHeaders.get(key);
  const isSame =
    last?.header.kid === header.kid && last.header.typ === header.typ && last.header.alg === header.alg;
  if (last && isSame) return last.encoded;
  const encoded = encode(header);
  encodedHeaders.set(key, { header: { ...header }, encoded });
  return encoded;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
