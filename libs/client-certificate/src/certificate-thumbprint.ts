import { createHash, type X509Certificate } from 'node:crypto';

/** The value of `x5t#S256`. @see RFC 8705 §3.1 */
export function certificateThumbprint({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('base64url');
}
