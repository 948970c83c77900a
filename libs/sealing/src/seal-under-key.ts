import { aesKey, decryptAesGcm, encryptAesGcm } from './aes-gcm.js';

/** Seals under 32 bytes that whoever comes back for the value derives again, and that belong to this one value. */
export function sealUnderKey(key: Uint8Array, plaintext: string): Buffer {
  return encryptAesGcm(aesKey(key), Buffer.from(plaintext));
}

/** @throws Error when the key is another one, or a bit was changed */
export function openUnderKey(key: Uint8Array, sealed: Uint8Array): string {
  return decryptAesGcm(aesKey(key), sealed).toString();
}
