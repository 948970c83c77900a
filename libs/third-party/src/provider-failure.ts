import * as client from 'openid-client';
import { isTransportFailure } from './http.js';
import { ThirdPartyError, type ThirdPartyProblem } from './third-party-error.js';

/** An answer without an OAuth error in it that cannot be used. */
export class UnusableReply extends Error {
  override readonly name = 'UnusableReply';
  constructor(
    readonly status: number,
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(`a third party answered ${status}`);
  }
}

/** One error for whatever went wrong between us and a provider. Looks through causes: the OAuth client wraps them. */
export function asThirdPartyError(providerId: string, error: unknown): ThirdPartyError {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (link instanceof ThirdPartyError) return link;
    if (link instanceof UnusableReply) {
      const { retryAfterSeconds } = link;
      return new ThirdPartyError(problemOfStatus(link.status), providerId, {
        cause: error,
        retryAfterSeconds,
      });
    }
    if (link instanceof client.ResponseBodyError) {
      const code = registeredForm(link.error);
      return new ThirdPartyError(problemOfCode(link.error), providerId, { cause: error, code });
    }
    if (link instanceof client.AuthorizationResponseError) {
      const problem = link.error === 'access_denied' ? 'denied' : 'refused';
      return new ThirdPartyError(problem, providerId, { cause: error, code: registeredForm(link.error) });
    }
    if (isTransportFailure(link)) {
      return new ThirdPartyError(problemOfTransport(link.reason, link.wasSent), providerId, {
        cause: error,
        isTimeout: link.reason === 'timeout',
      });
    }
  }
  return new ThirdPartyError('malformed', providerId, { cause: error });
}

function problemOfTransport(reason: string, wasSent: boolean): ThirdPartyProblem {
  if (reason === 'forbidden_url' || reason === 'forbidden_address') return 'forbidden_address';
  return wasSent ? 'outcome_unknown' : 'unavailable';
}

/** 429 means that nothing was done; behind another 5xx the provider may have acted all the same. */
function problemOfStatus(status: number): ThirdPartyProblem {
  if (status === 429) return 'unavailable';
  return status >= 500 ? 'outcome_unknown' : 'malformed';
}

function problemOfCode(code: string): ThirdPartyProblem {
  switch (code) {
    case 'invalid_grant':
      return 'invalid_grant';
    case 'invalid_client':
    case 'unauthorized_client':
      return 'client_refused';
    case 'temporarily_unavailable':
    case 'slow_down':
      return 'unavailable';
    case 'server_error':
      return 'outcome_unknown';
    case 'access_denied':
      return 'denied';
    default:
      return 'refused';
  }
}

/** RFC 6749 §4.1.2.1, and short: what a provider writes there ends up in our logs. */
function registeredForm(code: string): string | undefined {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(code) ? code : undefined;
}
