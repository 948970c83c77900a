import { type VerifiedJwt, verifyJwt } from '@behalf/jwt';
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { errors } from 'oidc-provider';
import { checkAssertion, clockToleranceSeconds } from './check-assertion.js';

export const jwtBearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Of what the library takes, those that keys of agents are for. */
const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];
/** For how long keys that could not be fetched again go on as they were. */
const refetchSeconds = 10;

/** The library's keys of a client. Those at a `jwks_uri` are fresh for as long as that said. */
export interface ClientKeys {
  selectForVerify(header: { alg: string; kid?: string | undefined }): JWK[];
  fresh(): boolean;
  refresh(): Promise<void>;
  freshUntil?: number;
}

/** What of the library's clients is used here. */
export interface AssertingClient {
  clientId: string;
  tokenEndpointAuthSigningAlg?: string;
  asymmetricKeyStore: ClientKeys;
}

/**
 * Verifies a client assertion as the library does for `private_key_jwt`, with our rules for it, in the calling thread.
 * Stricter where it costs nothing: keys have to be fresh, and one of them has to be the only one that can be meant.
 *
 * Does not check that it is used once.
 *
 * @throws Error for everything that is not plainly good; whether it is refused the library decides
 * @see RFC 7523 §3, draft-ietf-oauth-rfc7523bis §4
 */
export async function verifyClientAssertion(
  { clientId, tokenEndpointAuthSigningAlg, asymmetricKeyStore: keys }: AssertingClient,
  assertion: string,
  expected: { issuer: string; nowSeconds: number },
): Promise<{ jti: string; exp: number; iat?: number }> {
  const { payload }: VerifiedJwt = await verifyJwt(
    assertion,
    ({ alg, kid }) => {
      if (alg === undefined || !keys.fresh()) throw new Error('the keys are not known now');
      const [only, ...others] = keys.selectForVerify({ alg, kid });
      if (!only || others.length > 0) throw new Error('not one key can be meant');
      return importedKey(only, alg);
    },
    {
      issuer: clientId,
      algorithms: tokenEndpointAuthSigningAlg === undefined ? algorithms : [tokenEndpointAuthSigningAlg],
      requiredClaims: ['exp', 'jti'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(expected.nowSeconds * 1000),
    },
  );
  checkAssertion(payload, expected);
  const { sub, jti, exp, iat } = payload;
  if (sub !== clientId || typeof jti !== 'string' || jti === '' || !exp)
    throw new Error('the assertion lacks what it needs');
  return { jti, exp, ...(iat !== undefined && { iat }) };
}

/** Keys as they are imported for an algorithm: once each, for as long as the library keeps them. */
const imported = new WeakMap<JWK, { alg: string; key: ReturnType<typeof importJWK> }>();

async function importedKey(jwk: JWK, alg: string) {
  const known = imported.get(jwk);
  const key = known?.alg === alg ? known.key : importJWK(jwk, alg);
  if (known?.key !== key) imported.set(jwk, { alg, key });
  const ready = await key;
  if (ready instanceof Uint8Array) throw new Error('a client signs with its own key, never with a secret');
  return ready;
}

/**
 * Checks that the key of an assertion, which the library has verified, is still one of the client's. The library fetches
 * keys again only when none of those it has fits, so that a key that was withdrawn would be good until then.
 *
 * While they cannot be had, keys stay what they were.
 *
 * @throws InvalidClientAuth
 */
export async function checkKeyIsCurrent(
  keys: ClientKeys,
  assertion: string,
  nowSeconds: number,
): Promise<void> {
  if (keys.fresh()) return;
  await keys.refresh().catch(() => {});
  // Not once more for each request while it fails, each of which would wait for it.
  if (!keys.fresh()) keys.freshUntil = nowSeconds + refetchSeconds;
  const { alg = '', kid } = decodeProtectedHeader(assertion);
  for (const key of keys.selectForVerify({ alg, kid })) {
    const isIt = await compactVerify(assertion, key).then(
      () => true,
      () => false,
    );
    if (isIt) return;
  }
  throw new errors.InvalidClientAuth({ cause: 'the key is none of the client any more' });
}
