import { type Clock, type RecordStore, nowSeconds } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { type PublicJwk, PurposeSigner } from '@behalf/signing-keys';

/** As long as the document may be cached, and some time for whoever fetched it just before. */
const overlapSeconds = 86_400;

/**
 * Signs the metadata of this decision point, with keys that sign nothing else: whoever gets the document from somewhere
 * else than from us can still tell that we wrote it.
 *
 * @see AuthZEN Authorization API 1.0 §9.1.3
 */
export class MetadataSigner {
  readonly #signer: PurposeSigner;

  constructor(
    records: RecordStore,
    kek: KeyEncryptionKey,
    private readonly clock: Clock,
    /** The URL of this service: its keys are at `/.well-known/jwks.json` below it. */
    private readonly issuer: string,
  ) {
    this.#signer = new PurposeSigner(records, kek, clock, { purpose: 'pdp-metadata', overlapSeconds });
  }

  publicJwks(): Promise<{ keys: PublicJwk[] }> {
    return this.#signer.publicJwks();
  }

  /** The document with itself, signed, in it. */
  async sign<T extends object>(metadata: T): Promise<T & { signed_metadata: string }> {
    const claims = { ...metadata, iss: this.issuer, iat: nowSeconds(this.clock) };
    return { ...metadata, signed_metadata: await this.#signer.sign(claims, { typ: 'JWT' }) };
  }
}
