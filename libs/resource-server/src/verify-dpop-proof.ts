import { createHash } from 'node:crypto';
import { OAuthError } from '@behalf/oauth';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import { z } from 'zod';
import type { DpopNonces } from './dpop-nonces.js';

/** The algorithms of proofs that are accepted: asymmetric ones only. */
export const dpopAlgorithms = ['ES256', 'Ed25519', 'EdDSA'] as const;
/** Clocks of clients may be this far away, either way, when there is no nonce to tell that a proof is fresh. */
export const maxProofAgeSeconds = 300;
const maxProofBytes = 8 * 1024;
const maxJtiChars = 256;

const claimsSchema = z.looseObject({
  jti: z.string().min(1).max(maxJtiChars),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
  nonce: z.string().min(1).optional(),
});

/** What a proof has to be for. */
export interface ExpectedProof {
  method: string;
  /** The URL that the client called, as it knows it. Query and fragment do not count. */
  url: string;
  accessToken: string;
  nowSeconds: number;
  nonces: Pick<DpopNonces, 'issuedAtMs'>;
  requireNonce: boolean;
}

export interface VerifiedProof {
  /** RFC 7638 thumbprint of the key that signed it. */
  jkt: string;
  jti: string;
  /** The earliest moment at which it can have been made. */
  madeAtMs: number;
  hasNonce: boolean;
}

/**
 * Verifies a DPoP proof for one request with one access token: form, `typ`, `alg`, that the key in it is public and
 * signed it, method, URL, the hash of the token, and that it is fresh, by its nonce or else by `iat`.
 *
 * Does not check that the token is bound to this key, nor that the proof is used once: its `jti` and key are returned
 * for that.
 *
 * @throws OAuthError `invalid_dpop_proof`, `use_dpop_nonce`
 * @see RFC 9449 §4.3
 */
export async function verifyDpopProof(proof: string, expected: ExpectedProof): Promise<VerifiedProof> {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new OAuthError('invalid_dpop_proof', `the DPoP proof ${fault}`);
  };
  const { jkt, jti, htm, htu, iat, nonce } = await readDpopProof(proof, expected.accessToken);
  unless(htm === expected.method, 'is for another method');
  unless(isSameTarget(htu, expected.url), 'is for another URL');
  const nonceIssuedAtMs = nonce === undefined ? undefined : expected.nonces.issuedAtMs(nonce);
  // With a nonce our own clock tells that the proof is fresh, and the client's does not matter.
  if (nonce === undefined) unless(Math.abs(expected.nowSeconds - iat) <= maxProofAgeSeconds, 'is not fresh');
  if (nonceIssuedAtMs === undefined && (nonce !== undefined || expected.requireNonce))
    throw useNonce('the DPoP proof needs the nonce of this answer');
  return {
    jkt,
    jti,
    madeAtMs: nonceIssuedAtMs ?? (iat - maxProofAgeSeconds) * 1000,
    hasNonce: nonce !== undefined,
  };
}

/** What a proof says, and the RFC 7638 thumbprint of the key that signed it. */
export interface DpopProofClaims {
  jkt: string;
  jti: string;
  htm: string;
  htu: string;
  iat: number;
  nonce?: string | undefined;
}

/**
 * Verifies of a DPoP proof what does not depend on where it was presented: form, `typ`, `alg`, that the key in it is
 * public and signed it, and the hash of the access token. Does not check method, URL, nor that it is fresh.
 *
 * @throws OAuthError `invalid_dpop_proof`
 * @see RFC 9449 §4.2
 */
export async function readDpopProof(proof: string, accessToken: string): Promise<DpopProofClaims> {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new OAuthError('invalid_dpop_proof', `the DPoP proof ${fault}`);
  };
  unless(proof.length <= maxProofBytes, 'is too large');
  const { payload, jwk } = await verifySignature(proof);
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw new OAuthError('invalid_dpop_proof', 'the DPoP proof lacks claims');
  const { ath, ...claims } = parsed.data;
  unless(ath === createHash('sha256').update(accessToken).digest('base64url'), 'is for another access token');
  return { ...claims, jkt: await calculateJwkThumbprint(jwk) };
}

/** Sends a client back for a nonce. @see RFC 9449 §9 */
export function useNonce(description: string): OAuthError {
  return new OAuthError('use_dpop_nonce', description, { status: 401 });
}

async function verifySignature(proof: string): Promise<{ payload: unknown; jwk: JWK }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...dpopAlgorithms],
    });
    return { payload, jwk: protectedHeader.jwk as JWK };
  } catch (cause) {
    throw new OAuthError('invalid_dpop_proof', 'the DPoP proof is not valid', { cause });
  }
}

/** RFC 9449 §4.3 rule 9: without query and fragment, and after normalisation as RFC 3986 §6.2.2 and §6.2.3 describe. */
function isSameTarget(presented: string, actual: string): boolean {
  const [left, right] = [presented, actual].map((text) => {
    const url = URL.parse(text);
    if (!url || url.username !== '' || url.password !== '') return undefined;
    url.search = '';
    url.hash = '';
    return url.href;
  });
  return left !== undefined && left === right;
}
