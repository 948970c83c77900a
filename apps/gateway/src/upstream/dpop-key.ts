import { type Clock, nowSeconds } from '@behalf/ports';
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { exportJWK, type JWK, SignJWT } from 'jose';

/** The request that a proof is for. */
export interface ProvedRequest {
  method: string;
  url: string;
  /** The token it carries; none at the token endpoint. */
  accessToken?: string;
}

/**
 * The gateway's own DPoP key. It is as old as the process and never leaves it: tokens that were exchanged by another
 * gateway, or before a restart, are of no use here, and none of them is kept anywhere.
 *
 * @see RFC 9449 §4.2
 */
export class DpopKey {
  readonly #privateKey: KeyObject;
  readonly #publicJwk: Promise<JWK>;
  /** The latest nonce of each server. They are those of the configuration, so there is an end to them. */
  readonly #nonces = new Map<string, string>();

  constructor(private readonly clock: Clock) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.#publicJwk = exportJWK(publicKey);
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
