import { createHmac, type KeyObject } from 'node:crypto';
import { aesKey, decryptAesGcm, encryptAesGcm, keyBytes } from './aes-gcm.js';

/** HMAC-SHA256 gives a whole key in the first round: its number, what the key is for, and the key's length in bits. */
const before = Buffer.from('\0\0\0\x01behalf seal under secret\0');
const after = Buffer.from([0, 0, (8 * keyBytes) >> 8, (8 * keyBytes) & 0xff]);

/**
 * Seals under a key that is derived from a secret which whoever comes back for the value presents: without it the
 * sealed form opens for nobody, not even for us. Only as strong as the secret is hard to guess.
 *
 * @see NIST SP 800-108r1 §4.1
 */
export function sealUnderSecret(secret: string, purpose: string, plaintext: string): string {
  const sealed = encryptAesGcm(keyFrom(secret, purpose), Buffer.from(plaintext), Buffer.from(purpose));
  return Buffer.from(sealed).toString('base64url');
}

/** @throws Error when the secret or the purpose is another one, or a bit was changed */
export function openUnderSecret(secret: string, purpose: string, sealed: string): string {
  const opened = decryptAesGcm(
    keyFrom(secret, purpose),
    Buffer.from(sealed, 'base64url'),
    Buffer.from(purpose),
  );
  return Buffer.from(opened).toString();
}

function keyFrom(secret: string, purpose: string): KeyObject {
  return aesKey(createHmac('sha256', secret).update(before).update(purpose).update(after).digest());
}
