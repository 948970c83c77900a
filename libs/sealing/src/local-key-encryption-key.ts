import { createHash, type KeyObject } from 'node:crypto';
import { aesKey, decryptAesGcm, encryptAesGcm, keyBytes } from './aes-gcm.js';
import type { KeyEncryptionKey } from './key-encryption-key.js';
import { SealingError } from './sealing-error.js';

/** A key-encryption key held in this process. As safe as the place its 32 bytes come from. */
export class LocalKeyEncryptionKey implements KeyEncryptionKey {
  readonly id: string;
  readonly #key: KeyObject;

  /** @throws RangeError unless the key has 32 bytes */
  constructor(key: Uint8Array) {
    if (key.byteLength !== keyBytes) throw new RangeError(`a sealing key has ${keyBytes} bytes`);
    this.#key = aesKey(key);
    // Names the key without telling it: a digest of 256 random bits cannot be turned back.
    this.id = `local-${createHash('sha256').update('behalf sealing key id').update(key).digest('hex').slice(0, 16)}`;
  }

  async wrap(dataKey: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    return encryptAesGcm(this.#key, dataKey, this.#aad(binding));
  }

  async unwrap(wrapped: Uint8Array, binding: Uint8Array): Promise<Uint8Array> {
    try {
      return decryptAesGcm(this.#key, wrapped, this.#aad(binding));
    } catch (cause) {
      throw new SealingError('wrong_key', { cause });
    }
  }

  #aad(binding: Uint8Array): Uint8Array {
    return Buffer.concat([Buffer.from(this.id), binding]);
  }
}
