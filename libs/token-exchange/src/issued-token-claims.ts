import type { ActClaim, AuthorizationDetail, Confirmation, ScopeSet } from '@behalf/oauth';
import type { DelegationGrant, MayAct, TokenClaims } from './ports.js';

/** The claims of an issued access token: `TokenClaims` with the moment of issue and the chain it belongs to. */
export interface IssuedClaims extends Omit<TokenClaims, 'aud'> {
  aud: string | string[];
  iat: number;
  txn: string;
  cnf?: Confirmation;
  may_act?: MayAct;
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
  /** Undefined for impersonation. */
  act: ActClaim | undefined;
  clientId: string;
  audiences: readonly string[];
  scope: ScopeSet;
  nowSeconds: number;
  exp: number;
  jti: string;
  lineage: string[];
  /** The keys of the client, if it proved any: the token is bound to them. */
  proof: Confirmation | undefined;
  mayAct: MayAct | undefined;
  authorizationDetails: AuthorizationDetail[];
  delegations: readonly DelegationGrant[];
}): IssuedClaims {
  const { subject, act, audiences, proof, mayAct, authorizationDetails } = parts;
  const [audience, ...others] = audiences;
  return {
    iss: parts.issuer,
    sub: subject.sub,
    aud: audience === undefined || others.length > 0 ? [...audiences] : audience,
    client_id: parts.clientId,
    scope: parts.scope.toString(),
    ...(act !== undefined && { act }),
    iat: parts.nowSeconds,
    exp: parts.exp,
    jti: parts.jti,
    ...(mayAct !== undefined && { may_act: mayAct }),
    ...(proof !== undefined && { cnf: proof }),
    ...(authorizationDetails.length > 0 && { authorization_details: authorizationDetails }),
    ...tiesOf(subject, parts.lineage, parts.delegations),
  };
}

/** The claims by which ending something that came before ends the issued token. */
export function tiesOf(subject: TokenClaims, lineage: string[], granted: readonly DelegationGrant[]) {
  const delegations = [...new Set([...(subject.delegations ?? []), ...granted.map(({ id }) => id)])];
  return {
    // The first token of a chain gives it its name.
    txn: subject.txn ?? subject.jti,
    lineage,
    ...(delegations.length > 0 && { delegations }),
    ...(subject.grant_id !== undefined && { grant_id: subject.grant_id }),
    ...(subject.sid !== undefined && { sid: subject.sid }),
    ...(subject.auth_time !== undefined && { auth_time: subject.auth_time }),
    ...(subject.groups !== undefined && { groups: subject.groups }),
  };
}
