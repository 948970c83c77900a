import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';

export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** Asking for random bytes costs much the same for one nonce as for many. */
const noncesAtOnce = 256;
const nonces = Buffer.alloc(noncesAtOnce * nonceBytes);
let nextNonce = nonces.length;
const nothing = new Uint8Array();

/** A key as OpenSSL holds it. Node takes bytes as well, but makes several times more work of them. */
export function aesKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/** AES-256-GCM with a random nonce: nonce, ciphertext and tag in one piece. @see NIST SP 800-38D */
export function encryptAesGcm(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array = nothing): Buffer {
  const nonce = freshNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  if (aad.byteLength > 0) cipher.setAAD(aad);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when the key, the additional data or a single bit is not what it was */
export function decryptAesGcm(key: KeyObject, sealed: Uint8Array, aad: Uint8Array = nothing): Buffer {
  if (sealed.byteLength < nonceBytes + tagBytes) throw new Error('too short to be AES-GCM output');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  if (aad.byteLength > 0) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}

/** Each part of the store is given out once. */
function freshNonce(): Buffer {
  if (nextNonce === nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  return nonces.subarray(nextNonce, (nextNonce += nonceBytes));
}
