import { isPlainObject } from '@behalf/i-json';
import { maxChainDepth } from '@behalf/oauth';
import { z } from 'zod';
import type { CedarEntity } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';

interface Actor {
  sub: string;
  client_id?: string | undefined;
  iss?: string | undefined;
}

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
  return readChain(chain).map((actor) => {
    const own = actor.iss === undefined || actor.iss === ownIssuer;
    return {
      uid: { type: 'Agent', id: own ? actor.sub : `${actor.iss}#${actor.sub}` },
      attrs: toCedarRecord(actor, 'context.actors'),
      parents: [],
    };
  });
}

/** What plainly is a chain does without the schema, which takes longer than the decision. */
function readChain(chain: unknown): Actor[] {
  if (Array.isArray(chain) && chain.length <= maxChainDepth && chain.every(isPlainActor)) return chain;
  const parsed = chainSchema.safeParse(chain);
  if (!parsed.success) throw new InvalidEvaluation('context.actors', 'is not an actor chain');
  return parsed.data;
}

function isPlainActor(actor: unknown): actor is Actor {
  if (!isPlainObject(actor) || actor['sub'] === '') return false;
  const names = Object.keys(actor);
  return names.includes('sub') && names.every((name) => isMember(name) && typeof actor[name] === 'string');
}

function isMember(name: string): boolean {
  return name === 'sub' || name === 'iss' || name === 'client_id';
}
