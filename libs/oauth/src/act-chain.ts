import { z } from 'zod';

/** The most actors a token may carry, the current one included. Deeper chains are refused, never cut. */
export const maxChainDepth = 5;
/** The most bytes of JSON that an `act` claim may take: a header must still fit the token. */
export const maxChainBytes = 4096;

/**
 * The `act` claim: the current actor outermost, each earlier actor nested inside.
 *
 * @see RFC 8693 §4.1
 */
export interface ActClaim {
  sub: string;
  iss?: string | undefined;
  client_id?: string | undefined;
  act?: ActClaim | undefined;
}

export const actClaimSchema: z.ZodType<ActClaim> = z.lazy(() =>
  z.object({
    sub: z.string().min(1),
    iss: z.string().optional(),
    client_id: z.string().optional(),
    act: actClaimSchema.optional(),
  }),
);

/** The actors of a chain, the current one first. Without a claim there are none. */
export function actorChain(act: ActClaim | undefined): Omit<ActClaim, 'act'>[] {
  const actors: Omit<ActClaim, 'act'>[] = [];
  for (let link = act; link !== undefined; link = link.act) {
    const { act: _earlier, ...actor } = link;
    actors.push(actor);
  }
  return actors;
}

/**
 * The actors by name, the current one first: ours by `sub`, those of another issuer as `<iss>#<sub>`. The attack: an agent
 * elsewhere has the name of one of ours, and stands for it where people agree and in what is recorded.
 */
export function actorNames(act: ActClaim | undefined): string[] {
  return actorChain(act).map(({ sub, iss }) => (iss === undefined ? sub : `${iss}#${sub}`));
}

export function chainDepth(act: ActClaim | undefined): number {
  return actorChain(act).length;
}

export function encodedChainBytes(act: ActClaim): number {
  return Buffer.byteLength(JSON.stringify(act));
}

/** Puts a new current actor around an existing chain. Does not check the depth or size limits. */
export function nestActor(actor: Omit<ActClaim, 'act'>, earlier: ActClaim | undefined): ActClaim {
  return earlier === undefined ? { ...actor } : { ...actor, act: earlier };
}
