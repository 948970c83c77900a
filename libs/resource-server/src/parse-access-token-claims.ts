import { isPlainObject } from '@behalf/i-json';
import type { ActClaim } from '@behalf/oauth';
import type { z } from 'zod';
import { type AccessTokenClaims, accessTokenClaimsSchema } from './access-token-claims.js';

/**
 * What `accessTokenClaimsSchema.safeParse` answers for claims that came out of JSON. The usual ones are found to be what
 * they should be without the schema, which takes as long as half a signature; all that is refused, and says why, is the
 * schema's.
 */
export function parseAccessTokenClaims(claims: unknown): z.ZodSafeParseResult<AccessTokenClaims> {
  return isPlainObject(claims) && isUsual(claims)
    ? { success: true, data: claims as AccessTokenClaims }
    : accessTokenClaimsSchema.safeParse(claims);
}

function isUsual(claims: Record<string, unknown>): boolean {
  const { iss, sub, aud, client_id, exp, iat, jti, scope, act, groups, auth_time } = claims;
  const { sid, grant_id, txn, cnf, authorization_details, lineage, delegations } = claims;
  return (
    isText(iss) &&
    isName(sub) &&
    isText(aud) &&
    isName(client_id) &&
    Number.isSafeInteger(exp) &&
    Number.isSafeInteger(iat) &&
    isName(jti) &&
    isText(scope) &&
    (act === undefined || isActClaim(act)) &&
    (groups === undefined || isTexts(groups)) &&
    (auth_time === undefined || Number.isSafeInteger(auth_time)) &&
    (sid === undefined || isText(sid)) &&
    (grant_id === undefined || isText(grant_id)) &&
    (txn === undefined || isText(txn)) &&
    (lineage === undefined || isTexts(lineage)) &&
    (delegations === undefined || isTexts(delegations)) &&
    // Their rules are in the schema alone.
    cnf === undefined &&
    authorization_details === undefined &&
    !Object.hasOwn(claims, '__proto__')
  );
}

/** True for a chain without members that the schema would take away. */
function isActClaim(value: unknown): value is ActClaim {
  if (!isPlainObject(value)) return false;
  for (const name of Object.keys(value)) if (!actMembers.has(name)) return false;
  const { sub, iss, client_id, act } = value;
  return (
    isName(sub) &&
    (iss === undefined || isText(iss)) &&
    (client_id === undefined || isText(client_id)) &&
    (act === undefined || isActClaim(act))
  );
}

const actMembers = new Set(['sub', 'iss', 'client_id', 'act']);

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
