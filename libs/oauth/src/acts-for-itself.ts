/**
 * True of a token that a client has for itself: no person stands behind it. `sub` then is the client, whose id no person
 * has. The attack: what every person may do is done by a program that nobody signed in for.
 *
 * @see RFC 9068 §2.2, §5
 */
export function actsForItself(claims: { sub: string; client_id: string }): boolean {
  return claims.sub === claims.client_id;
}
