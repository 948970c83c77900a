import type { ActClaim, AuthorizationDetail, Confirmation, ScopeSet } from '@behalf/oauth';
import type { TokenClaims } from './ports.js';

/** The claims of an issued token: `TokenClaims` with the moment of issue and the chain it belongs to. */
export interface IssuedClaims extends TokenClaims {
  iat: number;
  act: ActClaim;
  txn: string;
  cnf?: Confirmation;
  lineage: string[];
}

/**
 * Builds the claims of the issued token. `sub` stays the person, the client becomes the requester; what the person
 * agreed to (`grant_id`), their session (`sid`) and the chain (`txn`) stay, so that ending any of them ends this too.
 *
 * @see RFC 9068 §2.2, RFC 8693 §4.1
 */
export function issuedTokenClaims(parts: {
  issuer: string;
  subject: TokenClaims;
  act: ActClaim;
  clientId: string;
  audience: string;
  scope: ScopeSet;
  nowSeconds: number;
  exp: number;
  jti: string;
  lineage: string[];
  /** The keys of the client, if it proved any: the token is bound to them. */
  proof: Confirmation | undefined;
  authorizationDetails: AuthorizationDetail[];
  /** The delegation grant that this exchange stands on. */
  delegation: string | undefined;
}): IssuedClaims {
  const { subject, delegation } = parts;
  const delegations = [...(subject.delegations ?? []), ...(delegation === undefined ? [] : [delegation])];
  return {
    iss: parts.issuer,
    sub: subject.sub,
    aud: parts.audience,
    client_id: parts.clientId,
    scope: parts.scope.toString(),
    act: parts.act,
    iat: parts.nowSeconds,
    exp: parts.exp,
    jti: parts.jti,
    // The first token of a chain gives it its name.
    txn: subject.txn ?? subject.jti,
    lineage: parts.lineage,
    ...(parts.proof !== undefined && { cnf: parts.proof }),
    ...(parts.authorizationDetails.length > 0 && { authorization_details: parts.authorizationDetails }),
    ...(delegations.length > 0 && { delegations: [...new Set(delegations)] }),
    ...(subject.grant_id !== undefined && { grant_id: subject.grant_id }),
    ...(subject.sid !== undefined && { sid: subject.sid }),
    ...(subject.auth_time !== undefined && { auth_time: subject.auth_time }),
    ...(subject.groups !== undefined && { groups: subject.groups }),
  };
}
