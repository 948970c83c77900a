import { KeyObject } from 'node:crypto';
import type { CryptoKey } from 'jose';

/** What OpenSSL is told for a key of ours; undefined for keys that only jose handles here. */
export interface NativeKey {
  alg: 'ES256' | 'RS256';
  key: KeyObject;
}

/** RFC 7518 §3.3 */
const minRsaBits = 2048;
const converted = new WeakMap<object, NativeKey | undefined>();

/**
 * The same key for `node:crypto`, with the one algorithm that it may be used for; undefined for what is no public key that
 * verifies. Converted, and looked at, once: node makes new objects each time that a key is asked what it is.
 */
export function toNativeKey(key: object): NativeKey | undefined {
  if (!converted.has(key)) converted.set(key, isPublicCryptoKey(key) ? convert(key) : undefined);
  return converted.get(key);
}

function isPublicCryptoKey(key: object): key is CryptoKey {
  return key instanceof CryptoKey && key.type === 'public' && key.usages.includes('verify');
}

function convert(key: CryptoKey): NativeKey | undefined {
  // Node is about to give up converting keys that were made not to be taken out; public ones have no reason to be.
  if (!key.extractable) return undefined;
  const alg = algorithmOf(key.algorithm);
  return alg && { alg, key: KeyObject.from(key) };
}

interface KeyDescription {
  name: string;
  namedCurve?: string;
  modulusLength?: number;
  hash?: { name: string };
}

function algorithmOf({
  name,
  namedCurve,
  modulusLength = 0,
  hash,
}: KeyDescription): NativeKey['alg'] | undefined {
  if (name === 'ECDSA' && namedCurve === 'P-256') return 'ES256';
  if (name === 'RSASSA-PKCS1-v1_5' && hash?.name === 'SHA-256' && modulusLength >= minRsaBits) return 'RS256';
  return undefined;
}
