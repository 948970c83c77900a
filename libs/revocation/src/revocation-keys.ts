import type { RevocationKind } from '@behalf/contracts';
import { type ActClaim, actorChain } from '@behalf/oauth';

/** The claims by which a token can be revoked. */
export interface RevocableClaims {
  jti: string;
  sub?: string | undefined;
  client_id?: string | undefined;
  grant_id?: string | undefined;
  sid?: string | undefined;
  txn?: string | undefined;
  /** The `jti` of every token this one came from. */
  lineage?: readonly string[] | undefined;
  /** The delegation grants this token stands on. */
  delegations?: readonly string[] | undefined;
  act?: ActClaim | undefined;
  /** Seconds. */
  iat?: number | undefined;
}

/**
 * The keys of every revocation that may end this token: its own, those of the tokens it came from, of the grants it
 * stands on, of its session, its chain, its person and its actors. Whether one that is found does end it, `touches` says.
 */
export function revocationKeys(claims: RevocableClaims): string[] {
  const keys: [RevocationKind, string | undefined][] = [
    ['token', claims.jti],
    ...(claims.lineage ?? []).map((jti): [RevocationKind, string] => ['token', jti]),
    ['grant', claims.grant_id],
    ...(claims.delegations ?? []).map((id): [RevocationKind, string] => ['grant', id]),
    ['session', claims.sid],
    ['transaction', claims.txn],
    ['person', claims.sub],
    ['client', claims.client_id],
    ...actorChain(claims.act).map((actor): [RevocationKind, string] => [
      'client',
      actor.client_id ?? actor.sub,
    ]),
  ];
  return keys.flatMap(([kind, id]) => (id === undefined ? [] : [`${kind}:${id}`]));
}
