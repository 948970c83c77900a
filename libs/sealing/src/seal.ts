import { createHash, randomBytes } from 'node:crypto';
import { aesKey, decryptAesGcm, encryptAesGcm, keyBytes } from './aes-gcm.js';
import type { KeyEncryptionKey } from './key-encryption-key.js';
import type { KeyRing } from './key-ring.js';
import { type SealedText, formatSealedText, parseSealedText } from './sealed-text.js';
import { SealingError } from './sealing-error.js';

const dataKeyIdBytes = 12;

/**
 * Where a secret belongs: `kind` and `id` of its record, its owner, its resource. What was sealed for one place does
 * not open in another, so that rows cannot be swapped by someone who can write the database but not read the key.
 */
export type SealingContext = Readonly<Record<string, string>>;

/**
 * Seals a secret under a fresh data key, and the data key under the key-encryption key (envelope encryption). Both are
 * bound to the context and to the data key's id, so that the data key can move to another key-encryption key later.
 *
 * @returns `behalf-sealed-2.<key id>.<data key id>.<wrapped data key>.<ciphertext>`, the last two in base64url
 * @throws SealingError `unavailable`
 */
export async function seal(
  kek: KeyEncryptionKey,
  plaintext: Uint8Array,
  context: SealingContext,
): Promise<string> {
  const dataKeyId = randomBytes(dataKeyIdBytes).toString('base64url');
  const aad = boundTo(context, { version: 'behalf-sealed-2', dataKeyId });
  const dataKey = randomBytes(keyBytes);
  const ciphertext = encryptAesGcm(aesKey(dataKey), plaintext, aad);
  try {
    const wrapped = await kek.wrap(dataKey, digest(aad));
    return formatSealedText({ keyId: kek.id, dataKeyId, wrapped, ciphertext });
  } finally {
    dataKey.fill(0);
  }
}

/**
 * Opens what `seal` made, for the same context only.
 *
 * @throws SealingError `malformed`, `unknown_key`, `wrong_key`, `not_authentic` or `unavailable`
 */
export async function open(
  keys: KeyEncryptionKey | KeyRing,
  sealed: string,
  context: SealingContext,
): Promise<Uint8Array> {
  const text = parseSealedText(sealed);
  const aad = boundTo(context, text);
  const dataKey = await keyFor(keys, text).unwrap(text.wrapped, bindingOf(text, aad));
  try {
    return decryptAesGcm(aesKey(dataKey), text.ciphertext, aad);
  } catch (cause) {
    throw new SealingError('not_authentic', { cause });
  } finally {
    dataKey.fill(0);
  }
}

/**
 * Moves a data key to the current key-encryption key, without opening what it seals. A text of version 1 has to be
 * opened and sealed anew instead.
 *
 * @returns undefined when there is nothing to do
 * @throws SealingError `malformed`, `unknown_key`, `wrong_key` or `unavailable`
 */
export async function rewrap(
  ring: KeyRing,
  sealed: string,
  context: SealingContext,
): Promise<string | undefined> {
  const text = parseSealedText(sealed);
  if (text.version === 'behalf-sealed-1') throw new SealingError('malformed');
  const binding = digest(boundTo(context, text));
  const wrapped =
    text.keyId === ring.current.id
      ? await ring.current.rewrap?.(text.wrapped, binding)
      : await moveDataKey(keyFor(ring, text), ring.current, text.wrapped, binding);
  return wrapped && formatSealedText({ ...text, keyId: ring.current.id, wrapped });
}

async function moveDataKey(
  from: KeyEncryptionKey,
  to: KeyEncryptionKey,
  wrapped: Uint8Array,
  binding: Uint8Array,
): Promise<Uint8Array> {
  const dataKey = await from.unwrap(wrapped, binding);
  try {
    return await to.wrap(dataKey, binding);
  } finally {
    dataKey.fill(0);
  }
}

function keyFor(keys: KeyEncryptionKey | KeyRing, { keyId }: SealedText): KeyEncryptionKey {
  if ('find' in keys) {
    const found = keys.find(keyId);
    if (!found) throw new SealingError('unknown_key');
    return found;
  }
  if (keys.id !== keyId) throw new SealingError('wrong_key');
  return keys;
}

/** JSON keeps the parts apart, so that ("ab", "c") never reads as ("a", "bc"); sorted, so that order does not matter. */
function boundTo(
  context: SealingContext,
  { version, dataKeyId }: Pick<SealedText, 'version' | 'dataKeyId'>,
): Uint8Array {
  const parts = Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(JSON.stringify([version, dataKeyId, parts]));
}

/** Version 1 did not bind its wrapped keys to anything. */
function bindingOf({ version }: SealedText, aad: Uint8Array): Uint8Array {
  return version === 'behalf-sealed-1' ? new Uint8Array() : digest(aad);
}

/** A key service logs what a key was bound to: a digest tells it nobody's name. */
function digest(aad: Uint8Array): Uint8Array {
  return createHash('sha256').update(aad).digest();
}
