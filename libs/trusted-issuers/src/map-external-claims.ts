import { createHash } from 'node:crypto';
import { type ActClaim, actClaimSchema, OAuthError } from '@behalf/oauth';
import type { TokenClaims } from '@behalf/token-exchange';
import type { SubjectRules } from './subject-rules.js';

/**
 * The claims of another issuer's token as ours. Every name in it becomes one that only that issuer can give: `sub` and
 * `client_id` as `<issuer>#<name>`, `jti` as a digest, actors with their issuer. The attack: an issuer that is trusted for
 * its own people says "sub": one of ours.
 *
 * `may_act` and `cnf` come along as they are, for the exchange to hold against the client. Whatever else says what may be
 * done (scope beyond the rules, groups beyond the table, grants, sessions, lineage) stays behind.
 *
 * @throws OAuthError `invalid_token`
 * @see RFC 9068 §5 on names that collide
 */
export function mapExternalClaims(
  token: string,
  claims: Record<string, unknown> & { sub: string; exp: number },
  { issuer, groups }: SubjectRules,
  scope: readonly string[],
): TokenClaims {
  const { aud, act, may_act: mayAct, cnf, iat, auth_time: authTime } = claims;
  const client = claims['client_id'] ?? claims['azp'] ?? '';
  const audience = [aud].flat()[0];
  return {
    iss: issuer,
    sub: `${issuer}#${claims.sub}`,
    aud: typeof audience === 'string' ? audience : '',
    client_id: `${issuer}#${typeof client === 'string' ? client : ''}`,
    exp: claims.exp,
    ...(typeof iat === 'number' && { iat }),
    // Its own `jti` could be one of ours, or that of a third issuer, or missing.
    jti: createHash('sha256').update(token).digest('base64url'),
    scope: scope.join(' '),
    ...(act !== undefined && { act: qualifyActors(act, issuer) }),
    ...(mayAct !== undefined && { may_act: mayAct }),
    ...(cnf !== undefined && { cnf }),
    ...(Number.isInteger(authTime) && { auth_time: authTime as number }),
    ...(groups && { groups: mapGroups(claims[groups.claim], groups.map) }),
  };
}

/**
 * An actor without an issuer is one of its issuer's, not ours. One that it says is of a third it cannot speak for.
 *
 * @throws OAuthError `invalid_token`
 */
export function qualifyActors(act: unknown, issuer: string): ActClaim {
  const parsed = actClaimSchema.safeParse(act);
  if (!parsed.success) throw new OAuthError('invalid_token', 'act is malformed', { cause: parsed.error });
  const qualify = ({ act: earlier, ...actor }: ActClaim): ActClaim => {
    if ((actor.iss ?? issuer) !== issuer)
      throw new OAuthError('invalid_token', 'an actor is of an issuer that did not say so');
    return { ...actor, iss: issuer, ...(earlier && { act: qualify(earlier) }) };
  };
  return qualify(parsed.data);
}

function mapGroups(said: unknown, map: Readonly<Record<string, string>>): string[] {
  const names = Array.isArray(said) ? (said as unknown[]) : [];
  return names.flatMap((name) =>
    typeof name === 'string' && Object.hasOwn(map, name) ? [map[name] as string] : [],
  );
}
