import type { Caller } from '@behalf/mcp';
import { actClaimSchema } from '@behalf/oauth';
import { z } from 'zod';
import { UnmappableRequest } from './unmappable-request.js';

const texts = z.union([z.string(), z.array(z.string())]);
/** Null is how CEL and Lua spell a claim that is not there. */
const claimsSchema = z.looseObject({
  sub: z.string().min(1),
  client_id: z.string().nullish(),
  azp: z.string().nullish(),
  aud: texts.nullish(),
  scope: texts.nullish(),
  scopes: texts.nullish(),
  act: actClaimSchema.nullish(),
  groups: z.array(z.string()).nullish(),
});

/**
 * The person and the chain by claims that somebody else has verified: a gateway that asks with a credential of its
 * own. Does not verify anything.
 *
 * @throws UnmappableRequest `no_identity` without `sub`, `malformed` for claims of the wrong type
 */
export function callerOf(claims: Record<string, unknown> | undefined): Caller {
  if (claims === undefined || claims['sub'] === undefined || claims['sub'] === null)
    throw new UnmappableRequest('no_identity', 'the request names no person');
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    const places = [...new Set(parsed.error.issues.map((issue) => issue.path[0]?.toString() ?? 'claims'))];
    throw new UnmappableRequest('malformed', `malformed claims: ${places.join(', ')}`);
  }
  const { sub, client_id, azp, aud, scope, scopes, act, groups } = parsed.data;
  return {
    sub,
    client_id: client_id ?? azp ?? '',
    // Several audiences are kept as one text that equals none of them.
    aud: typeof aud === 'string' ? aud : (aud ?? []).join(' '),
    scope: [scope ?? scopes ?? []].flat().join(' '),
    act: act ?? undefined,
    groups: groups ?? undefined,
  };
}
