import { sign } from 'node:crypto';
import { CompactSign, type CryptoKey } from 'jose';
import { toNativeKey } from './native-key.js';

export interface JwtHeader {
  alg: string;
  kid: string;
  typ: string;
}

/** Signs claims as a compact JWS (RFC 7515 §7.1). Does not look at what it signs. */
export async function signJwt(
  claims: Record<string, unknown>,
  header: JwtHeader,
  key: CryptoKey,
): Promise<string> {
  const native = toNativeKey(key);
  const payload = Buffer.from(JSON.stringify(claims));
  if (native?.alg !== header.alg) return new CompactSign(payload).setProtectedHeader({ ...header }).sign(key);
  const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload.toString('base64url')}`;
  return `${input}.${sign('sha256', Buffer.from(input), native).toString('base64url')}`;
}
