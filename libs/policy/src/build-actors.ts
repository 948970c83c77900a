import { maxChainDepth } from '@behalf/oauth';
import { z } from 'zod';
import type { CedarEntity } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';

const chainSchema = z
  .array(z.object({ sub: z.string().min(1), client_id: z.string().optional(), iss: z.string().optional() }))
  .max(maxChainDepth);

/**
 * The act chain as entities, the current actor first. An actor of our own issuer is `Agent::"<sub>"`. One of another
 * issuer is `Agent::"<iss>#<sub>"`, because two issuers may use one `sub`, and naming an agent in a policy must not
 * trust its namesake elsewhere.
 *
 * @throws InvalidEvaluation when the chain is malformed or deeper than any token may carry
 */
export function buildActors(chain: unknown, ownIssuer: string | undefined): CedarEntity[] {
  if (chain === undefined || chain === null) return [];
  const parsed = chainSchema.safeParse(chain);
  if (!parsed.success) throw new InvalidEvaluation('context.actors', 'is not an actor chain');
  return parsed.data.map((actor) => {
    const own = actor.iss === undefined || actor.iss === ownIssuer;
    return {
      uid: { type: 'Agent', id: own ? actor.sub : `${actor.iss}#${actor.sub}` },
      attrs: toCedarRecord(actor, 'context.actors'),
      parents: [],
    };
  });
}
