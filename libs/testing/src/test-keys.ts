import type { Signer } from '@behalf/ports';
import { CompactSign, type JWK, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

export interface TestKeys extends Signer {
  publicJwks(): { keys: JWK[] };
  /** ES256, with `kid`, `alg` and `use`. */
  readonly privateJwk: JWK;
}

/** A fresh ES256 key pair that signs, for tests that need tokens of an issuer or of a stranger. */
export async function testKeys(): Promise<TestKeys> {
  const alg = 'ES256';
  const pair = await generateKeyPair(alg, { extractable: true });
  const publicMembers = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicMembers);
  const named = { kid, alg, use: 'sig' };
  return {
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...named },
    publicJwks: () => ({ keys: [{ ...publicMembers, ...named }] }),
    sign: (claims, { typ }) =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg, kid, typ })
        .sign(pair.privateKey),
  };
}
