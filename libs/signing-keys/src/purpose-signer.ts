import type { Clock, RecordStore, SignOptions, Signer } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { JwtSigner } from './jwt-signer.js';
import type { PublicJwk } from './signing-key-record.js';
import { SigningKeys } from './signing-keys.js';

const refreshSeconds = 60;

/** Signs with ES256 keys that are for one purpose and sign nothing else. They are made on their first use. */
export class PurposeSigner implements Signer {
  readonly #keys: SigningKeys;
  readonly #signer: JwtSigner;
  #ensured: Promise<void> | undefined;

  constructor(
    records: RecordStore,
    kek: KeyEncryptionKey,
    clock: Clock,
    options: { purpose: string; overlapSeconds: number },
  ) {
    this.#keys = new SigningKeys(records, kek, clock, { ...options, algorithms: ['ES256'] });
    this.#signer = new JwtSigner(this.#keys, clock, { refreshSeconds });
  }

  async publicJwks(): Promise<{ keys: PublicJwk[] }> {
    await this.#ensureKeys();
    return this.#keys.publicJwks();
  }

  async sign(claims: Record<string, unknown>, options: SignOptions): Promise<string> {
    await this.#ensureKeys();
    return this.#signer.sign(claims, options);
  }

  #ensureKeys(): Promise<void> {
    this.#ensured ??= this.#keys.ensure().catch((error: unknown) => {
      this.#ensured = undefined;
      throw error;
    });
    return this.#ensured;
  }
}
