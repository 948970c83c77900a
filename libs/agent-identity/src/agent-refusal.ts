import { OAuthError } from '@behalf/oauth';

/** Everything a change of an agent can be refused for. */
export type AgentRefusalReason =
  | { kind: 'agent_unknown' }
  | { kind: 'agent_retired' }
  | { kind: 'id_taken' }
  | { kind: 'id_unacceptable'; fault: string }
  | { kind: 'version_conflict' }
  | { kind: 'key_unacceptable'; fault: string }
  | { kind: 'key_known' }
  | { kind: 'key_unknown' }
  | { kind: 'too_many_keys' }
  | { kind: 'last_key' }
  | { kind: 'keys_are_not_here' }
  | { kind: 'jwks_uri_unusable'; cause: unknown }
  | { kind: 'credential_unacceptable'; fault: string }
  | { kind: 'credential_taken' }
  | { kind: 'credential_of_other_method' }
  | { kind: 'credential_is_no_secret' }
  | { kind: 'too_many_secrets' }
  | { kind: 'secret_unknown' };

/** Thrown by the commands; an edge turns it into the OAuthError it maps to. */
export class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal';
  constructor(readonly reason: AgentRefusalReason) {
    super(reason.kind);
  }
}

/** The wire form: always `invalid_request`, told apart by status. Whoever sees it administers, so it is precise. */
export function agentRefusalToOAuthError(reason: AgentRefusalReason): OAuthError {
  const refuse = (description: string, status = 400): OAuthError =>
    new OAuthError('invalid_request', description, {
      status,
      cause: 'cause' in reason ? reason.cause : reason.kind,
    });
  switch (reason.kind) {
    case 'agent_unknown':
      return refuse('there is no such agent', 404);
    case 'agent_retired':
      return refuse('the agent is retired, which is final', 409);
    case 'id_taken':
      return refuse('the id is taken', 409);
    case 'id_unacceptable':
      return refuse(`the id ${reason.fault}`);
    case 'version_conflict':
      return refuse('the agent was changed since it was read', 412);
    case 'key_unacceptable':
      return refuse(`the key ${reason.fault}`);
    case 'key_known':
      return refuse('the agent has this key, or one of the same kid', 409);
    case 'key_unknown':
      return refuse('the agent has no such key', 404);
    case 'too_many_keys':
      return refuse('an agent has two keys at most', 409);
    case 'last_key':
      return refuse('the last key cannot be removed; suspend the agent instead', 409);
    case 'keys_are_not_here':
      return refuse(
        'the agent has no keys here: they are at its jwks_uri, or it has another credential',
        409,
      );
    case 'jwks_uri_unusable':
      return refuse('no usable key set can be fetched from jwks_uri');
    case 'credential_unacceptable':
      return refuse(`the credential ${reason.fault}`);
    case 'credential_taken':
      return refuse('another agent is known by this credential', 409);
    case 'credential_of_other_method':
      return refuse('the agent authenticates by another method', 409);
    case 'credential_is_no_secret':
      return refuse('the agent does not authenticate with secrets', 409);
    case 'too_many_secrets':
      return refuse('an agent has two secrets at most', 409);
    case 'secret_unknown':
      return refuse('the agent has no such secret', 404);
  }
}
