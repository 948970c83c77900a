import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';

/** What names the holder of a certificate. @see RFC 8705 §2.1.2 */
export const certificateSubjects = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;
export type CertificateSubject = (typeof certificateSubjects)[number];

const labels = {
  tls_client_auth_san_dns: 'DNS',
  tls_client_auth_san_uri: 'URI',
  tls_client_auth_san_ip: 'IP Address',
  tls_client_auth_san_email: 'email',
} as const;

/**
 * True when the certificate names this holder. A distinguished name is given as RFC 4514 writes it, most specific part
 * first; names of several values in one part (`+`) never match. Wildcards in certificates stand for themselves. A
 * certificate with another URI beside a SPIFFE ID is no X.509-SVID, and names no workload: it would be two of them.
 *
 * @see X509-SVID §2, §5.2
 */
export function matchesSubject(
  certificate: X509Certificate,
  subject: CertificateSubject,
  expected: string,
): boolean {
  if (subject === 'tls_client_auth_subject_dn') return certificate.subject === toLines(expected);
  const normal = subject === 'tls_client_auth_san_ip' ? toAddress : (value: string): string => value;
  const wanted = normal(expected);
  const names = alternativeNames(certificate).filter(({ label }) => label === labels[subject]);
  if (expected.startsWith('spiffe://') && names.length > 1) return false;
  return wanted !== undefined && names.some(({ value }) => normal(value) === wanted);
}

/** An address has several spellings. */
function toAddress(value: string): string | undefined {
  return ipaddr.isValid(value) ? ipaddr.parse(value).toNormalizedString() : undefined;
}

/** `CN=agent,O=Example` as node shows a subject: one part a line, the least specific first, escapes alike. */
function toLines(distinguishedName: string): string {
  return (distinguishedName.match(/(?:\\.|[^,\\])+/gs) ?? [])
    .map((part) => part.trim())
    .toReversed()
    .join('\n');
}

/**
 * node joins the names with commas and quotes, as JSON, every value that could be mistaken for several
 * (CVE-2021-44532).
 */
function alternativeNames({ subjectAltName = '' }: X509Certificate): { label: string; value: string }[] {
  const names: { label: string; value: string }[] = [];
  const pattern = /([A-Za-z ]+):("(?:\\.|[^"\\])*"|[^,]*)(?:, |$)/gy;
  for (let match = pattern.exec(subjectAltName); match; match = pattern.exec(subjectAltName)) {
    const [, label = '', text = ''] = match;
    names.push({ label, value: text.startsWith('"') ? (JSON.parse(text) as string) : text });
    if (pattern.lastIndex === subjectAltName.length) break;
  }
  return names;
}
