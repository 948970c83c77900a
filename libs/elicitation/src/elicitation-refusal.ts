import type { ElicitationStatus } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';

/** Everything that a step of an elicitation can be refused for. */
export type ElicitationRefusalReason =
  | { kind: 'not_found' }
  | { kind: 'other_person' }
  | { kind: 'over'; status: ElicitationStatus }
  | { kind: 'not_consented' }
  /** The person agreed again since, in another browser: that one goes on. */
  | { kind: 'superseded' }
  | { kind: 'provider_unknown' }
  | { kind: 'scope_unknown' }
  | { kind: 'request_state_unacceptable'; cause: unknown }
  | { kind: 'declined' }
  | { kind: 'too_many_pending' };

export class ElicitationRefusal extends Error {
  override readonly name = 'ElicitationRefusal';
  constructor(readonly reason: ElicitationRefusalReason) {
    super(reason.kind);
  }
}

const retryAfterSeconds = 60;

/** The wire form of a refusal, for programs; people get pages. */
export function elicitationRefusalToOAuthError(reason: ElicitationRefusalReason): OAuthError {
  const cause = 'cause' in reason ? reason.cause : reason.kind;
  switch (reason.kind) {
    // Whose it is, is nobody else's business: another person's looks as if it did not exist.
    case 'not_found':
    case 'other_person':
      return new OAuthError('invalid_request', 'there is no such elicitation', { cause, status: 404 });
    case 'over':
    case 'not_consented':
    case 'superseded':
      return new OAuthError('invalid_request', 'the elicitation is not open for this', { cause });
    case 'provider_unknown':
      return new OAuthError('invalid_target', 'no token is issued for this target', { cause });
    case 'scope_unknown':
      return new OAuthError('invalid_scope', 'the provider has no such scope', { cause });
    case 'request_state_unacceptable':
      return new OAuthError('invalid_request', 'request_state is not acceptable', { cause });
    case 'declined':
      return new OAuthError('access_denied', 'the person declined', { cause });
    case 'too_many_pending':
      return new OAuthError('temporarily_unavailable', 'too many requests wait for this person', {
        cause,
        retryAfterSeconds,
      });
  }
}
