import { OAuthError } from '@behalf/oauth';

/** Everything that the redemption or the issuing of an ID-JAG can be refused for. The audit log shows each. */
export type IdJagRefusalReason =
  | { kind: 'client_is_public' }
  | { kind: 'assertion_missing' }
  | { kind: 'assertion_invalid'; cause: unknown }
  | { kind: 'issuer_unknown' }
  | { kind: 'assertion_for_other_client' }
  | { kind: 'client_not_allowed' }
  | { kind: 'tenant_mismatch' }
  | { kind: 'key_unproven' }
  | { kind: 'actors_unacceptable'; cause: unknown }
  | { kind: 'person_unknown' }
  | { kind: 'person_mismatch' }
  | { kind: 'assertion_used' }
  | { kind: 'resource_missing' }
  | { kind: 'resource_not_in_assertion' }
  | { kind: 'resource_unknown' }
  | { kind: 'resource_beyond_ceiling' }
  | { kind: 'no_scope_left' }
  | { kind: 'authorization_details_beyond_ceiling' }
  | { kind: 'policy_denied'; decisionId: string | undefined }
  | { kind: 'policy_unavailable'; cause: unknown }
  | { kind: 'undecided'; cause: unknown }
  | { kind: 'not_recordable'; cause: unknown }
  | { kind: 'subject_token_invalid'; cause: unknown }
  | { kind: 'subject_token_type_unsupported' }
  | { kind: 'actor_token_unsupported' }
  | { kind: 'audience_missing' }
  | { kind: 'audience_unknown' }
  | { kind: 'client_unknown_there' }
  | { kind: 'resource_not_there' };

/** Thrown by the checks; leaves the library only as the OAuthError it maps to. */
export class IdJagRefusal extends Error {
  override readonly name = 'IdJagRefusal';
  constructor(readonly reason: IdJagRefusalReason) {
    super(reason.kind);
  }
}

/** For a dependency that did not answer. */
export function undecided(cause: unknown): never {
  throw new IdJagRefusal({ kind: 'undecided', cause });
}

const retryAfterSeconds = 2;

/**
 * The wire form. All faults of an assertion look the same from outside.
 *
 * @see RFC 7523 §3.1 for `invalid_grant`; RFC 8693 §2.2.2 for a subject token; RFC 8707 §2 for `invalid_target`
 */
export function idJagRefusalToOAuthError(reason: IdJagRefusalReason): OAuthError {
  const cause = 'cause' in reason ? reason.cause : reason.kind;
  switch (reason.kind) {
    case 'client_is_public':
      return new OAuthError('unauthorized_client', 'the client has to authenticate for this grant', {
        cause,
      });
    case 'assertion_missing':
      return new OAuthError('invalid_request', 'assertion is required', { cause });
    case 'assertion_invalid':
    case 'issuer_unknown':
    case 'assertion_for_other_client':
    case 'client_not_allowed':
    case 'tenant_mismatch':
    case 'key_unproven':
    case 'actors_unacceptable':
    case 'person_unknown':
    case 'person_mismatch':
    case 'assertion_used':
    // MCP Enterprise-Managed Authorization §5.1: a resource of the assertion that is none of ours.
    case 'resource_unknown':
      return new OAuthError('invalid_grant', 'the assertion is not acceptable', { cause });
    case 'resource_missing':
      return new OAuthError('invalid_target', 'resource is required', { cause });
    case 'resource_not_in_assertion':
    case 'resource_beyond_ceiling':
    case 'resource_not_there':
    case 'audience_unknown':
    case 'client_unknown_there':
      return new OAuthError('invalid_target', 'nothing is issued for this target', { cause });
    case 'audience_missing':
      return new OAuthError('invalid_target', 'audience is required, the issuer that is asked', { cause });
    case 'no_scope_left':
      return new OAuthError('invalid_scope', 'no scope is left', { cause });
    case 'authorization_details_beyond_ceiling':
      return new OAuthError(
        'invalid_authorization_details',
        'a detail is of a type the client may not carry',
        {
          cause,
        },
      );
    case 'subject_token_invalid':
      return new OAuthError('invalid_request', 'subject_token is not acceptable', { cause });
    case 'subject_token_type_unsupported':
      return new OAuthError('invalid_request', 'subject_token_type is not supported', { cause });
    case 'actor_token_unsupported':
      return new OAuthError(
        'invalid_request',
        'actor_token is not supported with this requested_token_type',
        {
          cause,
        },
      );
    case 'policy_denied':
      return new OAuthError(
        'invalid_target',
        `policy denied this${reason.decisionId ? `, decision ${reason.decisionId}` : ''}`,
        { cause },
      );
    case 'policy_unavailable':
      return new OAuthError('temporarily_unavailable', 'no policy decision could be had', {
        cause,
        retryAfterSeconds,
      });
    case 'undecided':
      return new OAuthError('temporarily_unavailable', 'the token could not be checked', {
        cause,
        retryAfterSeconds,
      });
    case 'not_recordable':
      return new OAuthError('temporarily_unavailable', 'it could not be recorded', {
        cause,
        retryAfterSeconds,
      });
  }
}
