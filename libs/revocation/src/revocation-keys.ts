import type { RevocationKind } from '@behalf/contracts';
import type { ActClaim } from '@behalf/oauth';

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
  const { jti, lineage, grant_id, delegations, sid, txn, sub, client_id, act } = claims;
  const keys: string[] = [];
  const add = (kind: RevocationKind, id: string | undefined): void => {
    if (id !== undefined) keys.push(`${kind}:${id}`);
  };
  add('token', jti);
  for (const earlier of lineage ?? []) add('token', earlier);
  add('grant', grant_id);
  for (const id of delegations ?? []) add('grant', id);
  add('session', sid);
  add('transaction', txn);
  add('person', sub);
  add('client', client_id);
  for (let actor = act; actor !== undefined; actor = actor.act) add('client', actor.client_id ?? actor.sub);
  return keys;
}
