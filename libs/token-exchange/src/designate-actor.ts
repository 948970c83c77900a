import { ExchangeRefusal } from './exchange-refusal.js';
import type { ParsedParameters } from './parse-exchange-parameters.js';
import type { MayAct } from './ports.js';

const thumbprint = /^[\w-]{43}$/;

/**
 * The `may_act` claim that a client asks for: who, and with which key, may become the next actor of the issued token,
 * and nobody else then. Undefined without a request for one. Whether it is given is for policy to say.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §4.4; the parameter's name is that of draft-oauth-ai-agents-on-behalf-of-user
 */
export function designateActor(
  { requestedActor, requestedActorKey }: Pick<ParsedParameters, 'requestedActor' | 'requestedActorKey'>,
  issuer: string,
): MayAct | undefined {
  if (requestedActor === undefined) {
    if (requestedActorKey === undefined) return undefined;
    throw new ExchangeRefusal({ kind: 'parameter_missing', parameter: 'requested_actor' });
  }
  if (requestedActorKey !== undefined && !thumbprint.test(requestedActorKey)) {
    throw new ExchangeRefusal({ kind: 'parameter_malformed', parameter: 'requested_actor_jkt' });
  }
  return {
    sub: requestedActor,
    iss: issuer,
    ...(requestedActorKey !== undefined && { cnf: { jkt: requestedActorKey } }),
  };
}
