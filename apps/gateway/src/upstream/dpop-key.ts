import { type Clock, nowSeconds } from '@behalf/ports';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';

/** The request that a proof is for. */
export interface ProvedRequest {
  method: string;
  url: string;
  /** The token it carries; none at the token endpoint. */
  accessToken?: string;
}

/**
 * The gateway's own DPoP key: the configured one, or one that is as old as the process and never leaves it. Exchanged
 * tokens that are bound to it are kept nowhere.
 *
 * @see RFC 9449 §4.2
 */
export class DpopKey {
  /** RFC 7638 thumbprint, by which tokens name this key. */
  readonly jkt: Promise<string>;
  readonly #privateKey: KeyObject;
  readonly #publicJwk: Promise<JWK>;
  /** The latest nonce of each server. They are those of the configuration, so there is an end to them. */
  readonly #nonces = new Map<string, string>();

  constructor(
    private readonly clock: Clock,
    configured?: KeyObject,
  ) {
    this.#privateKey = configured ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    this.#publicJwk = exportJWK(createPublicKey(this.#privateKey));
    this.jkt = this.#publicJwk.then((jwk) => calculateJwkThumbprint(jwk));
  }

  /** A proof for one request, with the server's nonce if it gave one. */
  async prove({ method, url, accessToken }: ProvedRequest): Promise<string> {
    const { origin, pathname } = new URL(url);
    const nonce = this.#nonces.get(origin);
    return new SignJWT({
      jti: randomUUID(),
      htm: method,
      htu: `${origin}${pathname}`,
      iat: nowSeconds(this.clock),
      ...(accessToken !== undefined && {
        ath: createHash('sha256').update(accessToken).digest('base64url'),
      }),
      ...(nonce !== undefined && { nonce }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await this.#publicJwk })
      .sign(this.#privateKey);
  }

  /**
   * Remembers the nonce that a server wants in proofs from now on, from the headers of its answer.
   *
   * @see RFC 9449 §8, §9
   */
  learn(url: string, { 'dpop-nonce': nonce }: Record<string, string | string[] | undefined>): void {
    if (typeof nonce === 'string') this.#nonces.set(new URL(url).origin, nonce);
  }
}
