import { randomBytes } from 'node:crypto';
import { decryptAesGcm, encryptAesGcm, keyBytes } from './aes-gcm.js';
import type { KeyEncryptionKey } from './key-encryption-key.js';
import { SealingError } from './sealing-error.js';

/** The version stands first, so that a later format can be told from this one. */
const version = 'behalf-sealed-1';

/**
 * Where a secret belongs: `kind` and `id` of its record, its owner, its resource. What was sealed for one place does
 * not open in another, so that rows cannot be swapped by someone who can write the database but not read the key.
 */
export type SealingContext = Readonly<Record<string, string>>;

/**
 * Seals a secret under a fresh data key, and the data key under the key-encryption key (envelope encryption).
 *
 * @returns `behalf-sealed-1.<key id>.<wrapped data key>.<ciphertext>`, the last two in base64url
 */
export async function seal(
  kek: KeyEncryptionKey,
  plaintext: Uint8Array,
  context: SealingContext,
): Promise<string> {
  const dataKey = randomBytes(keyBytes);
  const ciphertext = encryptAesGcm(dataKey, plaintext, boundTo(context, kek.id));
  const wrapped = await kek.wrap(dataKey);
  dataKey.fill(0);
  return [version, kek.id, base64url(wrapped), base64url(ciphertext)].join('.');
}

/**
 * Opens what `seal` made, for the same context only.
 *
 * @throws SealingError `malformed`, `wrong_key` or `not_authentic`
 */
export async function open(
  kek: KeyEncryptionKey,
  sealed: string,
  context: SealingContext,
): Promise<Uint8Array> {
  const [found, keyId, wrapped, ciphertext, ...rest] = sealed.split('.');
  if (found !== version || !keyId || !wrapped || !ciphertext || rest.length > 0)
    throw new SealingError('malformed');
  if (keyId !== kek.id) throw new SealingError('wrong_key');
  const dataKey = await kek.unwrap(fromBase64url(wrapped));
  try {
    return decryptAesGcm(dataKey, fromBase64url(ciphertext), boundTo(context, kek.id));
  } catch (cause) {
    if (cause instanceof SealingError) throw cause;
    throw new SealingError('not_authentic', { cause });
  } finally {
    dataKey.fill(0);
  }
}

/** JSON keeps the parts apart, so that ("ab", "c") never reads as ("a", "bc"); sorted, so that order does not matter. */
function boundTo(context: SealingContext, keyId: string): Uint8Array {
  const parts = Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(JSON.stringify([version, keyId, parts]));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Node skips characters that are not base64url; a text must have one spelling only. */
function fromBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new SealingError('malformed');
  return bytes;
}
