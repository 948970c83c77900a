import { signJwt } from '@behalf/jwt';
import type { Clock, SignOptions, Signer } from '@behalf/ports';
import { type KeyObject, createPrivateKey } from 'node:crypto';
import type { SigningAlgorithm } from './signing-key-record.js';
import type { PrivateJwk } from './signing-keys.js';

export interface JwtSignerOptions {
  /** How long a key is used before the store is asked again, in case the news of a rotation got lost. */
  refreshSeconds: number;
  defaultAlg?: SigningAlgorithm;
}

interface LoadedKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/**
 * Signs with the current key of each algorithm. A key is unsealed and imported once, and again after `refresh`.
 * Does not look at what it signs.
 */
export class JwtSigner implements Signer {
  #loaded: Promise<Map<string, LoadedKey>> | undefined;
  #loadedAtMs = 0;

  constructor(
    private readonly keys: { current(): Promise<PrivateJwk[]> },
    private readonly clock: Clock,
    private readonly options: JwtSignerOptions = { refreshSeconds: 60 },
  ) {}

  /** To be called when the keys were rotated; the next signature uses the new one. */
  refresh(): void {
    this.#loaded = undefined;
  }

  async sign(claims: Record<string, unknown>, options: SignOptions): Promise<string> {
    const alg = options.alg ?? this.options.defaultAlg ?? 'ES256';
    const loaded = (await this.#load()).get(alg);
    if (!loaded) throw new Error(`there is no signing key for ${alg}`);
    return signJwt(claims, { alg, kid: loaded.kid, typ: options.typ }, loaded.key);
  }

  #load(): Promise<Map<string, LoadedKey>> {
    const nowMs = this.clock.nowMs();
    if (this.#loaded && nowMs < this.#loadedAtMs + this.options.refreshSeconds * 1000) return this.#loaded;
    this.#loadedAtMs = nowMs;
    const loading = this.#importAll();
    this.#loaded = loading;
    loading.catch(() => {
      if (this.#loaded === loading) this.#loaded = undefined;
    });
    return loading;
  }

  async #importAll(): Promise<Map<string, LoadedKey>> {
    const loaded = new Map<string, LoadedKey>();
    for (const jwk of await this.keys.current()) {
      const { kid, alg } = jwk;
      loaded.set(alg, { kid, key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }) });
    }
    return loaded;
  }
}
