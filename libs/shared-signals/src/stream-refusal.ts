import { OAuthError } from '@behalf/oauth';

/** Why a receiver's request about a stream is refused. */
export type StreamRefusalReason =
  | { kind: 'malformed'; what: string }
  | { kind: 'stream_unknown' }
  | { kind: 'too_many_streams' }
  | { kind: 'too_many_subjects' }
  | { kind: 'verified_just_now'; retryAfterSeconds: number };

export class StreamRefusal extends Error {
  override readonly name = 'StreamRefusal';
  constructor(readonly reason: StreamRefusalReason) {
    super(reason.kind);
  }
}

/** What a receiver is told. @see SSF 1.0 §8 for the statuses */
export function streamRefusalToOAuthError(reason: StreamRefusalReason): OAuthError {
  switch (reason.kind) {
    case 'malformed':
      return new OAuthError('invalid_request', `missing or malformed: ${reason.what}`);
    case 'stream_unknown':
      return new OAuthError('invalid_request', 'there is no such stream', { status: 404 });
    case 'too_many_streams':
      return new OAuthError('invalid_request', 'this receiver has as many streams as it may', {
        status: 409,
      });
    case 'too_many_subjects':
      return new OAuthError('invalid_request', 'the stream has as many subjects as it may', { status: 409 });
    case 'verified_just_now':
      return new OAuthError('temporarily_unavailable', 'the stream was verified a moment ago', {
        status: 429,
        retryAfterSeconds: reason.retryAfterSeconds,
      });
  }
}
