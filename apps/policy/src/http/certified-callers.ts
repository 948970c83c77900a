import {
  type CertifiedRequest,
  ClientCertificates,
  certificateSubjects,
  isIssuedBy,
  matchesSubject,
  readCertificates,
} from '@behalf/client-certificate';
import type { BehalfConfig } from '@behalf/config';
import type { Clock } from '@behalf/ports';
import { type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Callers that the configuration knows by what their certificate says. Nobody is known by a certificate alone: one of the
 * right authority that names none of them is worth nothing here, since that authority issues certificates to others, too.
 */
export class CertifiedCallers {
  readonly #certificates: ClientCertificates;
  readonly #authorities: readonly X509Certificate[];

  constructor(
    private readonly callers: BehalfConfig['policy']['callers'],
    { enabled, authoritiesFile, trustedProxies }: BehalfConfig['mutualTls'],
    private readonly clock: Clock,
  ) {
    this.#certificates = new ClientCertificates({ trustedProxies });
    this.#authorities =
      enabled && authoritiesFile !== undefined ? readCertificates(readFileSync(authoritiesFile, 'utf8')) : [];
  }

  /** Who made a request over HTTP, or through a trusted proxy; undefined for whoever is not known by a certificate. */
  of(request: CertifiedRequest): string | undefined {
    if (this.#authorities.length === 0) return undefined;
    const certificate = this.#certificates.of(request);
    if (certificate === undefined || !isIssuedBy(certificate, this.#authorities, this.clock.nowMs()))
      return undefined;
    return this.nameOf(certificate);
  }

  /** Does not look at who issued it. */
  nameOf(certificate: X509Certificate): string | undefined {
    const found = Object.entries(this.callers).find(([, caller]) =>
      certificateSubjects.some((subject) => {
        const expected = caller[subject];
        return expected !== undefined && matchesSubject(certificate, subject, expected);
      }),
    );
    return found?.[0];
  }
}
