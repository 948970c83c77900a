import { OAuthError } from '@behalf/oauth';

/** Everything that a delegation can be refused for. */
export type DelegationRefusalReason =
  | { kind: 'grant_unknown' }
  | { kind: 'grant_over' }
  | { kind: 'not_narrower' }
  | { kind: 'version_conflict' }
  | { kind: 'too_many_grants' }
  | { kind: 'agent_unknown' }
  | { kind: 'resource_unknown' }
  | { kind: 'scope_unknown' }
  | { kind: 'lifetime_over' }
  | { kind: 'too_many_requests' }
  | { kind: 'request_unknown' }
  | { kind: 'request_of_another_person' }
  | { kind: 'request_decided' }
  | { kind: 'request_expired' }
  | { kind: 'request_pending' }
  | { kind: 'polled_too_often' }
  | { kind: 'person_denied' };

/** Thrown by the commands; an edge turns it into the OAuthError it maps to. */
export class DelegationRefusal extends Error {
  override readonly name = 'DelegationRefusal';
  constructor(readonly reason: DelegationRefusalReason) {
    super(reason.kind);
  }
}

/**
 * The wire form. To administrators and to the people whose grants they are it is precise; who asks for a request that
 * is not theirs learns no more than who makes an id up.
 *
 * @see RFC 8628 §3.5 for what an agent is told that waits for a person
 */
export function delegationRefusalToOAuthError({ kind }: DelegationRefusalReason): OAuthError {
  const refuse = (description: string, status = 400): OAuthError =>
    new OAuthError('invalid_request', description, { status, cause: kind });
  switch (kind) {
    case 'grant_unknown':
      return refuse('there is no such grant', 404);
    case 'grant_over':
      return refuse('the grant has ended', 409);
    case 'not_narrower':
      return refuse('a grant can only be narrowed; make another one for more');
    case 'version_conflict':
      return refuse('the grant was changed since it was read', 412);
    case 'too_many_grants':
      return refuse('there are too many grants of this kind; revoke some', 409);
    case 'agent_unknown':
      return refuse('there is no such agent, or it may not act for people now');
    case 'resource_unknown':
      return refuse('the resource is not known here');
    case 'scope_unknown':
      return refuse('the resource does not have this scope');
    case 'lifetime_over':
      return refuse('the grant would be over already');
    case 'too_many_requests':
      return new OAuthError('temporarily_unavailable', 'too many requests wait for this person', {
        status: 429,
        retryAfterSeconds: 60,
        cause: kind,
      });
    case 'request_unknown':
      return new OAuthError('invalid_grant', 'there is no such request', { cause: kind });
    case 'request_of_another_person':
      return new OAuthError('access_denied', 'the request was made for somebody else', { cause: kind });
    case 'request_decided':
      return refuse('the request has been decided already', 409);
    case 'request_expired':
      return new OAuthError('expired_token', 'it is too late to decide about this request', { cause: kind });
    case 'request_pending':
      return new OAuthError('authorization_pending', 'the person has not decided yet', { cause: kind });
    case 'polled_too_often':
      return new OAuthError('slow_down', 'wait longer before asking again', { cause: kind });
    case 'person_denied':
      return new OAuthError('access_denied', 'the person said no', { cause: kind });
  }
}
