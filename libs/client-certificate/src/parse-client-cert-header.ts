import { X509Certificate } from 'node:crypto';

const maxHeaderChars = 16 * 1024;

/**
 * Reads the value of a `Client-Cert` header: one Byte Sequence, DER, without parameters. Undefined for anything else; a
 * certificate that cannot be read has not been presented.
 *
 * @see RFC 9440 §2.1, RFC 8941 §3.3.5
 */
export function parseClientCertHeader(value: string): X509Certificate | undefined {
  if (value.length > maxHeaderChars) return undefined;
  const encoded = /^ *:([A-Za-z0-9+/]+={0,2}): *$/.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  try {
    const der = Buffer.from(encoded, 'base64');
    const certificate = new X509Certificate(der);
    // The parser takes PEM and bytes at the end, too: only what is DER and nothing else may count.
    return certificate.raw.equals(der) ? certificate : undefined;
  } catch {
    return undefined;
  }
}
