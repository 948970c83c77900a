import { type KeyObject, type webcrypto } from 'node:crypto';
import type { AttestClientAuthConfiguration } from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';

/**
 * What the library is told about attestations: an agent names its attester, and only that one's keys count for it. The
 * library checks the attestation, the proof of the instance's key, and that the proof is new.
 *
 * @see draft-ietf-oauth-attestation-based-client-auth
 */
export function attestedClients(
  { config, trustedKeys, nonceSecret }: ProviderDependencies,
  agents: AgentClients,
): AttestClientAuthConfiguration {
  const { attesters } = config.authorizationServer;
  if (attesters.length === 0) return { enabled: false, additionalSecuritySignal: false };
  return {
    enabled: true,
    ack: 'draft-12',
    additionalSecuritySignal: false,
    challengeSecret: nonceSecret,
    getAttestationSignaturePublicKey: async (_ctx, header, payload, client) => {
      const credential = (await agents.find(client.clientId))?.credential;
      const attester =
        credential?.method === 'attest_jwt_client_auth' && credential.attester === payload.iss
          ? attesters.find(({ issuer }) => issuer === credential.attester)
          : undefined;
      if (!attester?.algorithms.some((algorithm) => algorithm === header.alg))
        throw new Error('the attester is not that of the client');
      const key = await trustedKeys.keysOf(attester)(header as { alg: string }, emptyToken);
      return key as webcrypto.CryptoKey | KeyObject;
    },
    assertAttestationJwtAndPop: () => {},
  };
}

/** A key set looks at the header alone. */
const emptyToken = { payload: '', signature: '' };
