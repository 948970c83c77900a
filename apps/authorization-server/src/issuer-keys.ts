import type { SigningKeys } from '@behalf/signing-keys';
import { createLocalJWKSet, type CryptoKey, errors, type JWTVerifyGetKey } from 'jose';

interface LoadedKeys {
  find: ReturnType<typeof createLocalJWKSet>;
  /** Those that were found, by algorithm and name. */
  found: Map<string, CryptoKey>;
}

/** The issuer's own public keys for verifying, read from the store when first needed and after every change. */
export class IssuerKeys {
  #loaded: Promise<LoadedKeys> | undefined;

  constructor(private readonly signingKeys: SigningKeys) {}

  refresh(): void {
    this.#loaded = undefined;
  }

  readonly get: JWTVerifyGetKey = async (header, token) => {
    const { find, found } = await this.#load();
    const name = JSON.stringify([header.alg, header.kid]);
    const known = found.get(name);
    if (known) return known;
    try {
      const key = await find(header, token);
      // Without a name it is found among the others, and what was found for one token may not be another's.
      if (header.kid !== undefined) found.set(name, key);
      return key;
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Another process may have rotated, and a key may have ended: ask the store before saying no.
      this.refresh();
      return (await this.#load()).find(header, token);
    }
  };

  #load(): Promise<LoadedKeys> {
    if (this.#loaded) return this.#loaded;
    const loading = this.signingKeys
      .publicJwks()
      .then(({ keys }) => ({ find: createLocalJWKSet({ keys: keys.map(toJwk) }), found: new Map() }));
    this.#loaded = loading;
    // What failed is tried again by who comes next.
    loading.catch(() => {
      if (this.#loaded === loading) this.#loaded = undefined;
    });
    return loading;
  }
}

/** jose's type allows no member that is present and undefined. */
function toJwk(key: object): { kty: string } {
  return JSON.parse(JSON.stringify(key)) as { kty: string };
}
