import { type Confirmation, confirmationSchema } from '@behalf/oauth';
import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface SeenToken {
  sub: string;
  /** Who acts: the current actor outermost, earlier ones nested inside. */
  act: unknown;
  aud: string;
  scope: string;
  client_id: string;
  txn: string | undefined;
  exp: number;
  /** The keys it is bound to. */
  cnf: Confirmation | undefined;
}

export interface TrustedIssuer {
  issuer: string;
  jwksUri: string;
  /** This server's own identifier: the only audience it accepts. */
  resource: string;
}

/**
 * Verifies an access token as any resource server would: by the issuer's published keys, without asking anybody.
 *
 * Checks signature, type, issuer, audience and times; knows nothing of revocation. Whether its presenter holds the keys it
 * is bound to has to be checked as well.
 *
 * @throws Error of jose; ZodError when it is bound in an unknown form, which must not be taken for not at all
 * @see RFC 9068 §4
 */
export function accessTokenVerifier({ issuer, jwksUri, resource }: TrustedIssuer) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return async (token: string): Promise<SeenToken> => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: resource,
      typ: 'at+jwt',
      algorithms: ['ES256', 'RS256'],
      requiredClaims: ['sub', 'client_id', 'exp'],
    });
    return {
      sub: payload.sub as string,
      act: payload['act'] ?? null,
      aud: resource,
      scope: typeof payload['scope'] === 'string' ? payload['scope'] : '',
      client_id: String(payload['client_id']),
      txn: typeof payload['txn'] === 'string' ? payload['txn'] : undefined,
      exp: payload.exp as number,
      cnf: confirmationSchema.optional().parse(payload['cnf']),
    };
  };
}
