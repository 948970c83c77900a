import type { ActClaim } from '@behalf/oauth';
import type { z } from 'zod';
import { type AccessTokenClaims, accessTokenClaimsSchema } from './access-token-claims.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

const required: [string, Check][] = [
  ['iss', isText],
  ['sub', isName],
  ['aud', isText],
  ['client_id', isName],
  ['exp', Number.isSafeInteger],
  ['iat', Number.isSafeInteger],
  ['jti', isName],
  ['scope', isText],
];
const optional: [string, Check][] = [
  ['act', isActClaim],
  ['groups', isTexts],
  ['auth_time', Number.isSafeInteger],
  ['sid', isText],
  ['grant_id', isText],
  ['txn', isText],
  ['lineage', isTexts],
  ['delegations', isTexts],
];
/** Their rules are in the schema alone. */
const schemas = ['cnf', 'authorization_details', '__proto__'];

/**
 * What `accessTokenClaimsSchema.safeParse` answers for claims that came out of JSON. The usual ones are found to be what
 * they should be without the schema, which takes as long as half a signature; all that is refused, and says why, is the
 * schema's.
 */
export function parseAccessTokenClaims(claims: unknown): z.ZodSafeParseResult<AccessTokenClaims> {
  return isObject(claims) && isUsual(claims)
    ? { success: true, data: claims as AccessTokenClaims }
    : accessTokenClaimsSchema.safeParse(claims);
}

function isUsual(claims: Record<string, unknown>): boolean {
  for (const name of schemas) if (Object.hasOwn(claims, name)) return false;
  for (const [name, check] of required) if (!check(claims[name])) return false;
  for (const [name, check] of optional) if (claims[name] !== undefined && !check(claims[name])) return false;
  return true;
}

/** True for a chain without members that the schema would take away. */
function isActClaim(value: unknown): value is ActClaim {
  if (!isObject(value)) return false;
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (name === 'sub' ? !isName(member) : name === 'act' ? !isActClaim(member) : !isKnown(name, member))
      return false;
  }
  return value['sub'] !== undefined;
}

function isKnown(name: string, member: unknown): boolean {
  return (name === 'iss' || name === 'client_id') && typeof member === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
