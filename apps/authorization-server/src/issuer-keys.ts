import type { SigningKeys } from '@behalf/signing-keys';
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer's own public keys for verifying, read from the store when first needed and after every change. */
export class IssuerKeys {
  #keySet: Promise<JWTVerifyGetKey> | undefined;

  constructor(private readonly signingKeys: SigningKeys) {}

  refresh(): void {
    this.#keySet = undefined;
  }

  readonly get: JWTVerifyGetKey = async (header, token) => {
    const keySet = await this.#load();
    try {
      return await keySet(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Another process may have rotated, and a key may have ended: ask the store before saying no.
      this.refresh();
      return (await this.#load())(header, token);
    }
  };

  #load(): Promise<JWTVerifyGetKey> {
    this.#keySet ??= this.signingKeys
      .publicJwks()
      .then(({ keys }) => createLocalJWKSet({ keys: keys.map(toJwk) }));
    return this.#keySet;
  }
}

/** jose's type allows no member that is present and undefined. */
function toJwk(key: object): { kty: string } {
  return JSON.parse(JSON.stringify(key)) as { kty: string };
}
