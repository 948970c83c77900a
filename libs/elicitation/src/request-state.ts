import type { ThirdPartyTokenRequest } from '@behalf/contracts';
import { type KeyEncryptionKey, type SealingContext, open, seal } from '@behalf/sealing';
import { z } from 'zod';
import { ElicitationRefusal } from './elicitation-refusal.js';

const stateSchema = z.object({ elicitation: z.string(), expiresAtMs: z.int() });

type Bound = Pick<ThirdPartyTokenRequest, 'person' | 'client' | 'actors' | 'resource' | 'request'>;

/**
 * What an MCP client carries from a request to its retry: sealed, and bound to the person, the client, the chain and
 * the request it was made for, so that it opens for these and at no other place.
 *
 * @see MCP 2026-07-28, basic/patterns/mrtr, "Security Considerations"
 */
export function sealRequestState(
  key: KeyEncryptionKey,
  state: { elicitation: string; expiresAtMs: number },
  bound: Bound,
): Promise<string> {
  return seal(key, Buffer.from(JSON.stringify(state)), placeOf(bound));
}

/**
 * @returns the id of the elicitation that the request goes on with
 * @throws ElicitationRefusal for one that was altered, is over, or was made for another person, client or request
 */
export async function openRequestState(
  key: KeyEncryptionKey,
  sealed: string,
  bound: Bound,
  nowMs: number,
): Promise<string> {
  const refused = (cause: unknown): ElicitationRefusal =>
    new ElicitationRefusal({ kind: 'request_state_unacceptable', cause });
  const text = await open(key, sealed, placeOf(bound)).catch((cause: unknown) => {
    throw refused(cause);
  });
  const state = stateSchema.parse(JSON.parse(Buffer.from(text).toString('utf8')));
  if (state.expiresAtMs <= nowMs) throw refused('expired');
  return state.elicitation;
}

function placeOf({ person, client, actors, resource, request }: Bound): SealingContext {
  return {
    kind: 'elicitation-request-state',
    person,
    client,
    actors: JSON.stringify(actors),
    resource,
    request: JSON.stringify(request ? [request.method, request.name ?? null, request.digest] : null),
  };
}
