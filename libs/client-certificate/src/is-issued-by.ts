import type { X509Certificate } from 'node:crypto';

/** How many intermediates may stand between a certificate and an authority. */
const maxIntermediates = 3;

/**
 * True when a chain of valid certificates leads from this one to a self-issued authority of the list. Intermediates are
 * taken from the list as well; nothing that came with the request is. The authorities of the operating system never
 * count. Does not look at revocation lists or name constraints.
 *
 * @see RFC 5280 §6.1
 */
export function isIssuedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): boolean {
  // An authority is no client: its own certificate would match whatever it says about itself.
  if (certificate.ca) return false;
  let link = certificate;
  for (let depth = 0; depth <= maxIntermediates; depth++) {
    if (!isTimely(link, nowMs)) return false;
    const issuer = authorities.find(
      (authority) => authority.ca && link.checkIssued(authority) && link.verify(authority.publicKey),
    );
    if (!issuer || !isTimely(issuer, nowMs)) return false;
    if (issuer.checkIssued(issuer)) return true;
    link = issuer;
  }
  return false;
}

function isTimely({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs < validToDate.getTime();
}
