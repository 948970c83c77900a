import type { KeyEncryptionKey } from './key-encryption-key.js';

/** The key that seals, and those that still open what they sealed before it. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyEncryptionKey>;

  constructor(
    readonly current: KeyEncryptionKey,
    former: readonly KeyEncryptionKey[] = [],
  ) {
    this.#keys = new Map([...former, current].map((key) => [key.id, key]));
  }

  find(id: string): KeyEncryptionKey | undefined {
    return this.#keys.get(id);
  }
}
