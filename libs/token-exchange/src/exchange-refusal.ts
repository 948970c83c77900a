import type { AuditRecord } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import type { PendingDelegation } from './ports.js';

/** Everything an exchange can be refused for. The wire shows few of these apart; the audit log shows each. */
export type RefusalReason =
  | { kind: 'parameter_missing'; parameter: string }
  | { kind: 'parameter_repeated'; parameter: string }
  | { kind: 'parameter_malformed'; parameter: string }
  | { kind: 'actor_token_type_without_actor_token' }
  | { kind: 'token_type_unsupported'; parameter: string }
  | { kind: 'client_is_public' }
  | { kind: 'client_may_not_exchange' }
  | { kind: 'subject_token_invalid'; cause: unknown }
  | { kind: 'subject_issuer_unknown' }
  | { kind: 'subject_key_unproven' }
  | { kind: 'subject_is_no_person' }
  | { kind: 'subject_token_not_for_client' }
  | { kind: 'actor_token_invalid'; cause: unknown }
  | { kind: 'actor_key_unproven' }
  | { kind: 'actor_is_not_client' }
  | { kind: 'actor_token_beside_impersonation' }
  | { kind: 'actor_not_named_by_may_act' }
  | { kind: 'chain_too_deep' }
  | { kind: 'chain_too_large' }
  | { kind: 'target_missing' }
  | { kind: 'several_targets' }
  | { kind: 'target_unknown' }
  | { kind: 'target_beyond_ceiling' }
  | { kind: 'scope_malformed' }
  | { kind: 'scope_beyond_authority' }
  | { kind: 'no_scope_left' }
  | { kind: 'authorization_details_malformed'; cause: unknown }
  | { kind: 'authorization_details_beyond_authority' }
  | { kind: 'delegation_missing'; pending: PendingDelegation | undefined }
  | { kind: 'delegation_unavailable'; cause: unknown }
  | { kind: 'delegation_refused'; error: OAuthError }
  | { kind: 'third_party_unbound' }
  | { kind: 'third_party_subject' }
  /** As the elicitation service said, or because a person has to be asked. */
  | { kind: 'third_party_refused'; error: OAuthError }
  | { kind: 'third_party_unavailable'; cause: unknown }
  | { kind: 'no_lifetime_left' }
  | { kind: 'transaction_tokens_off' }
  | { kind: 'transaction_changed' }
  | { kind: 'transaction_token_only_replaced' }
  | { kind: 'too_many_replacements' }
  | { kind: 'policy_denied'; decisionId: string | undefined }
  | { kind: 'policy_unavailable'; cause: unknown }
  | { kind: 'verification_unavailable'; cause: unknown }
  | { kind: 'not_recordable'; cause: unknown }
  | { kind: 'issued_claims_unsound'; fault: string };

/** Thrown by the checks; leaves the library only as the OAuthError it maps to. */
export class ExchangeRefusal extends Error {
  override readonly name = 'ExchangeRefusal';
  /** What is to be written down of it. */
  record: AuditRecord | undefined;
  constructor(readonly reason: RefusalReason) {
    super(reason.kind);
  }
}

const retryAfterSeconds = 2;

/**
 * The wire form of a refusal. All faults of a presented token look the same from outside: nobody learns by trying
 * whether a person is signed in or a token was revoked.
 *
 * @see RFC 8693 §2.2.2: an invalid or unacceptable subject or actor token is `invalid_request`
 */
export function refusalToOAuthError(reason: RefusalReason): OAuthError {
  const cause = 'cause' in reason ? reason.cause : reason.kind;
  switch (reason.kind) {
    case 'parameter_missing':
      return new OAuthError('invalid_request', `${reason.parameter} is required`, { cause });
    case 'parameter_repeated':
      return new OAuthError('invalid_request', `${reason.parameter} must not be repeated`, { cause });
    case 'parameter_malformed':
      return new OAuthError('invalid_request', `${reason.parameter} is malformed`, { cause });
    case 'actor_token_beside_impersonation':
      return new OAuthError('invalid_request', 'actor_token has no place in what this client may do here', {
        cause,
      });
    case 'transaction_tokens_off':
      return new OAuthError('invalid_request', 'requested_token_type is not supported', { cause });
    case 'transaction_changed':
      return new OAuthError('invalid_request', 'what a transaction is about cannot be changed', { cause });
    case 'transaction_token_only_replaced':
      return new OAuthError(
        'invalid_request',
        'a transaction token is exchanged for a transaction token only',
        { cause },
      );
    case 'actor_token_type_without_actor_token':
      return new OAuthError('invalid_request', 'actor_token_type goes with actor_token', { cause });
    case 'token_type_unsupported':
      return new OAuthError('invalid_request', `${reason.parameter} is not supported`, { cause });
    case 'client_is_public':
    case 'client_may_not_exchange':
      return new OAuthError('unauthorized_client', 'the client may not act on behalf of people', { cause });
    case 'subject_token_invalid':
    case 'subject_issuer_unknown':
    case 'subject_key_unproven':
    case 'subject_is_no_person':
    case 'subject_token_not_for_client':
    case 'actor_not_named_by_may_act':
    case 'third_party_unbound':
    case 'third_party_subject':
    case 'chain_too_deep':
    case 'chain_too_large':
    case 'too_many_replacements':
    case 'no_lifetime_left':
      return new OAuthError('invalid_request', 'subject_token is not acceptable', { cause });
    case 'actor_token_invalid':
    case 'actor_key_unproven':
    case 'actor_is_not_client':
      return new OAuthError('invalid_request', 'actor_token is not acceptable', { cause });
    case 'target_missing':
      return new OAuthError('invalid_target', 'resource is required', { cause });
    case 'several_targets':
      return new OAuthError('invalid_target', 'a delegated token has one target', { cause });
    case 'target_unknown':
    case 'target_beyond_ceiling':
      return new OAuthError('invalid_target', 'no token is issued for this target', { cause });
    case 'policy_denied':
      return new OAuthError(
        'invalid_target',
        `policy denied this exchange${reason.decisionId ? `, decision ${reason.decisionId}` : ''}`,
        { cause },
      );
    case 'scope_malformed':
      return new OAuthError('invalid_scope', 'scope contains characters that are not allowed', { cause });
    case 'scope_beyond_authority':
      return new OAuthError('invalid_scope', 'scope exceeds what can be delegated', { cause });
    case 'no_scope_left':
      return new OAuthError('invalid_scope', 'no scope is left to delegate', { cause });
    case 'authorization_details_malformed':
      return new OAuthError('invalid_authorization_details', 'authorization_details is malformed', { cause });
    case 'authorization_details_beyond_authority':
      return new OAuthError(
        'invalid_authorization_details',
        'authorization_details exceed what can be delegated',
        { cause },
      );
    case 'third_party_refused':
      return reason.error;
    case 'third_party_unavailable':
      return new OAuthError('temporarily_unavailable', 'the third party cannot be asked for now', {
        cause,
        retryAfterSeconds,
      });
    case 'delegation_missing':
      return delegationMissing(reason.pending);
    case 'delegation_refused':
      return reason.error;
    case 'delegation_unavailable':
      return new OAuthError('temporarily_unavailable', 'delegation grants cannot be read', {
        cause,
        retryAfterSeconds,
      });
    case 'policy_unavailable':
      return new OAuthError('temporarily_unavailable', 'no policy decision could be had', {
        cause,
        retryAfterSeconds,
      });
    case 'verification_unavailable':
      return new OAuthError('temporarily_unavailable', 'the token could not be checked', {
        cause,
        retryAfterSeconds,
      });
    case 'not_recordable':
      return new OAuthError('temporarily_unavailable', 'the exchange could not be recorded', {
        cause,
        retryAfterSeconds,
      });
    case 'issued_claims_unsound':
      return new OAuthError('server_error', 'the exchange failed', { cause: reason.fault });
  }
}

/**
 * The person has to agree first. The code is OpenID Connect's, the polling members are the device grant's, with the
 * page under a name of our own: no RFC says yet where to send a person from an exchange.
 *
 * @see OpenID Connect Core §3.1.2.6, RFC 8628 §3.2 for `expires_in` and `interval`
 */
function delegationMissing(pending: PendingDelegation | undefined): OAuthError {
  const cause = 'delegation_missing';
  if (!pending) return new OAuthError('invalid_target', 'the person has not delegated this', { cause });
  return new OAuthError('interaction_required', 'the person has to agree to this first', {
    cause,
    parameters: {
      interaction_uri: pending.consentUrl,
      request_id: pending.requestId,
      expires_in: pending.expiresInSeconds,
      interval: pending.intervalSeconds,
    },
  });
}
