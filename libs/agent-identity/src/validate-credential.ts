import { X509Certificate } from 'node:crypto';
import type { AgentCredential, KeptAgentCredential } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { agentRecords } from './agent-records.js';
import { AgentRefusal } from './agent-refusal.js';
import type { AgentDependencies } from './ports.js';

/**
 * Validates what an agent is to be known by. Issuers, attesters and trust domains must be configured: what is said of an
 * unknown one would never be believed.
 *
 * Does not prove that the agent has it.
 *
 * @throws AgentRefusal `credential_unacceptable`
 */
export function validateCredential(
  credential: AgentCredential,
  { trusts }: Pick<AgentDependencies, 'trusts'>,
): KeptAgentCredential {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new AgentRefusal({ kind: 'credential_unacceptable', fault });
  };
  switch (credential.method) {
    case 'client_secret':
      return { ...credential, secrets: [] };
    case 'tls_client_auth':
      unless(trusts('certificates', ''), 'needs mutual TLS with authorities, which is not configured');
      return credential;
    case 'self_signed_tls_client_auth':
      unless(trusts('certificates', ''), 'needs mutual TLS, which is not configured');
      unless(credential.certificates.every(isCertificate), 'holds what is no certificate in PEM');
      return credential;
    case 'attest_jwt_client_auth':
      unless(trusts('attester', credential.attester), 'names an attester that is not configured');
      return credential;
    case 'spiffe_jwt':
      unless(
        trusts('trustDomain', trustDomainOf(credential.spiffeId)),
        'is of a trust domain that is not configured',
      );
      return credential;
    case 'workload':
      unless(trusts('workloadIssuer', credential.issuer), 'names an issuer that is not configured');
      return credential;
  }
}

/**
 * A SPIFFE ID names one workload, so it is one agent's.
 *
 * @throws AgentRefusal `credential_taken`
 */
export async function checkCredentialFree(
  credential: KeptAgentCredential,
  agentId: string,
  records: RecordReader,
): Promise<void> {
  if (credential.method !== 'spiffe_jwt') return;
  const { spiffeId } = credential;
  const holders = await records.list(agentRecords, { where: { spiffe_id: spiffeId } });
  if (holders.some(({ id, value }) => id !== agentId && value.state !== 'retired'))
    throw new AgentRefusal({ kind: 'credential_taken' });
}

/** @see SPIFFE-ID §2.1 */
export function trustDomainOf(spiffeId: string): string {
  return spiffeId.split('/')[2] ?? '';
}

function isCertificate(pem: string): boolean {
  try {
    return pem.includes('-----BEGIN CERTIFICATE-----') && new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
