import { type KeyEncryptionKey, seal } from '@behalf/sealing';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { type SigningAlgorithm, type SigningKey, publicJwkSchema } from './signing-key-record.js';

/** Makes a key pair; the private half leaves this function sealed only, bound to its `kid`. */
export async function generateSigningKey(
  kek: KeyEncryptionKey,
  kindName: string,
  alg: SigningAlgorithm,
  state: SigningKey['state'],
  nowMs: number,
): Promise<SigningKey> {
  const pair = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const members = { ...(await exportJWK(pair.publicKey)), use: 'sig', alg };
  const kid = await calculateJwkThumbprint(members);
  const privateJwk = Buffer.from(JSON.stringify(await exportJWK(pair.privateKey)));
  return {
    kid,
    alg,
    publicJwk: publicJwkSchema.parse({ ...members, kid }),
    sealedPrivateJwk: await seal(kek, privateJwk, sealingContext(kindName, kid)),
    state,
    createdAtMs: nowMs,
    stateSinceMs: nowMs,
  };
}

export function sealingContext(kindName: string, kid: string): Record<string, string> {
  return { kind: kindName, id: kid };
}
