import { tokenTypes } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeParameters } from './ports.js';

const issuedTypes = [tokenTypes.accessToken, tokenTypes.transactionToken];

export interface ParsedParameters {
  subjectToken: string;
  subjectTokenType: string;
  actorToken: string | undefined;
  requestedTokenType: string;
  requestedActor: string | undefined;
  requestedActorKey: string | undefined;
  /** JSON about the transaction that a transaction token is for. */
  requestDetails: string | undefined;
  requestContext: string | undefined;
  scope: string | undefined;
  authorizationDetails: string | undefined;
  /** `resource` and `audience` values together, each once. */
  targets: string[];
}

/**
 * Reads the form parameters of an exchange.
 *
 * `resource` and `audience` may repeat; everything else may not. Does not look into the tokens.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1
 */
export function parseExchangeParameters(parameters: ExchangeParameters): ParsedParameters {
  const subjectToken = required(parameters, 'subject_token');
  const subjectTokenType = required(parameters, 'subject_token_type');

  const actorToken = single(parameters, 'actor_token');
  const actorTokenType = single(parameters, 'actor_token_type');
  if (actorToken === undefined && actorTokenType !== undefined) {
    throw new ExchangeRefusal({ kind: 'actor_token_type_without_actor_token' });
  }
  if (actorToken !== undefined) {
    checkTokenType(required(parameters, 'actor_token_type'), [tokenTypes.accessToken], 'actor_token_type');
  }

  // Never substituted: who asks for another type than we issue is told so.
  const requestedTokenType = single(parameters, 'requested_token_type') ?? tokenTypes.accessToken;
  checkTokenType(requestedTokenType, issuedTypes, 'requested_token_type');

  return {
    subjectToken,
    subjectTokenType,
    actorToken,
    requestedTokenType,
    requestedActor: single(parameters, 'requested_actor'),
    requestedActorKey: single(parameters, 'requested_actor_jkt'),
    requestDetails: single(parameters, 'request_details'),
    requestContext: single(parameters, 'request_context'),
    scope: single(parameters, 'scope'),
    authorizationDetails: single(parameters, 'authorization_details'),
    targets: [...new Set([...list(parameters, 'resource'), ...list(parameters, 'audience')])],
  };
}

function list(parameters: ExchangeParameters, name: string): string[] {
  const value = parameters[name];
  if (Array.isArray(value)) return value.filter((entry) => entry !== '');
  return value === undefined || value === '' ? [] : [value];
}

/** RFC 6749 §3.2: a parameter without a value is treated as if it were left out. */
function single(parameters: ExchangeParameters, name: string): string | undefined {
  const value = parameters[name];
  if (Array.isArray(value)) throw new ExchangeRefusal({ kind: 'parameter_repeated', parameter: name });
  return value === '' ? undefined : value;
}

function required(parameters: ExchangeParameters, name: string): string {
  const value = single(parameters, name);
  if (value === undefined) throw new ExchangeRefusal({ kind: 'parameter_missing', parameter: name });
  return value;
}

function checkTokenType(value: string, accepted: readonly string[], parameter: string): void {
  if (!accepted.includes(value)) throw new ExchangeRefusal({ kind: 'token_type_unsupported', parameter });
}
