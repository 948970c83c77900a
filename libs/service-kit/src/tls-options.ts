import { readFileSync } from 'node:fs';
import type { Listen } from '@behalf/config';

/**
 * What a server that ends TLS itself is given. A client certificate is asked for and never judged by the handshake, so
 * that one that nobody issued (`self_signed_tls_client_auth`) can be shown; who uses it judges it.
 *
 * @see RFC 8705 §2.2
 */
export function readTlsOptions({ certFile, keyFile, requestClientCertificate }: NonNullable<Listen['tls']>) {
  return {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    requestCert: requestClientCertificate,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2' as const,
  };
}
