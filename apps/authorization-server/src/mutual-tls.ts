import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ClientCertificates, readCertificates } from '@behalf/client-certificate';
import type { BehalfConfig } from '@behalf/config';

/**
 * Where client certificates come from, and who issues them.
 *
 * @throws Error at the start, for a file without certificates
 */
export function openMutualTls({ authoritiesFile, trustedProxies }: BehalfConfig['mutualTls']): {
  certificates: ClientCertificates;
  authorities: X509Certificate[];
} {
  return {
    certificates: new ClientCertificates({ trustedProxies }),
    authorities: authoritiesFile === undefined ? [] : readCertificates(readFileSync(authoritiesFile, 'utf8')),
  };
}
