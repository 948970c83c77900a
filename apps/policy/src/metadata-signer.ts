import { type Clock, type RecordStore, nowSeconds } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { JoseSigner, type PublicJwk, SigningKeys } from '@behalf/signing-keys';

/** As long as the document may be cached, and some time for whoever fetched it just before. */
const overlapSeconds = 86_400;
const refreshSeconds = 60;

/**
 * Signs the metadata of this decision point, with keys that sign nothing else: whoever gets the document from somewhere
 * else than from us can still tell that we wrote it.
 *
 * @see AuthZEN Authorization API 1.0 §9.1.3
 */
export class MetadataSigner {
  readonly #keys: SigningKeys;
  readonly #signer: JoseSigner;
  #ensured: Promise<void> | undefined;

  constructor(
    records: RecordStore,
    kek: KeyEncryptionKey,
    private readonly clock: Clock,
    /** The URL of this service: its keys are at `/.well-known/jwks.json` below it. */
    private readonly issuer: string,
  ) {
    this.#keys = new SigningKeys(records, kek, clock, {
      overlapSeconds,
      purpose: 'pdp-metadata',
      algorithms: ['ES256'],
    });
    this.#signer = new JoseSigner(this.#keys, clock, { refreshSeconds });
  }

  async publicJwks(): Promise<{ keys: PublicJwk[] }> {
    await this.#ensureKeys();
    return this.#keys.publicJwks();
  }

  /** The document with itself, signed, in it. */
  async sign<T extends object>(metadata: T): Promise<T & { signed_metadata: string }> {
    await this.#ensureKeys();
    const claims = { ...metadata, iss: this.issuer, iat: nowSeconds(this.clock) };
    return { ...metadata, signed_metadata: await this.#signer.sign(claims, { typ: 'JWT' }) };
  }

  #ensureKeys(): Promise<void> {
    this.#ensured ??= this.#keys.ensure().catch((error: unknown) => {
      this.#ensured = undefined;
      throw error;
    });
    return this.#ensured;
  }
}
