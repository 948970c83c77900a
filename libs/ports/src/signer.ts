export interface SignOptions {
  /** The `typ` header, e.g. `at+jwt`. */
  typ: string;
  /** A registered algorithm; without it the deployment's default (ES256). */
  alg?: 'ES256' | 'RS256';
}

/** Signs finished claims with the current signing key. Does not look at what it signs. */
export interface Signer {
  /** @returns a compact JWS (RFC 7515) with `alg`, `kid` and `typ` */
  sign(claims: Record<string, unknown>, options: SignOptions): Promise<string>;
}
