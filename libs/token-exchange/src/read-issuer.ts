import { peekClaim } from '@behalf/jwt';

/**
 * Who a token says it is from, to choose who verifies it. Nothing is verified here, and nothing else may be read this
 * way: the verifier that is chosen holds `iss` against its own issuer.
 *
 * @returns undefined for what is no JWT, or says nothing
 */
export function readIssuer(token: string): string | undefined {
  const issuer = peekClaim(token, 'iss');
  return typeof issuer === 'string' ? issuer : undefined;
}
