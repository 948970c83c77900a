import { McpError, behalfErrorCodes, mcpErrorCodes } from '@behalf/mcp';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import { attributes, inSpan, injectTraceContext } from '@behalf/telemetry';
import { request } from 'undici';
import { z } from 'zod';
import { abortedFor } from './aborted-for.js';
import type { ExchangedToken, TokenExchangeRequest, TokenExchanger } from './token-exchanger.js';

const answerSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().optional(),
});
const errorSchema = z.object({ error: z.string() });
/** Errors that say "not for this person, target or scope": nothing is broken, so asking again will not help. */
const refusals = new Set([
  'access_denied',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
]);

export interface HttpTokenExchangerOptions {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
  timeoutMs: number;
}

/**
 * Exchanges tokens at the authorization server's token endpoint, authenticated by `client_secret_basic`.
 *
 * @see RFC 8693 §2.1, RFC 6749 §2.3.1
 */
export class HttpTokenExchanger implements TokenExchanger {
  constructor(private readonly options: HttpTokenExchangerOptions) {}

  exchange(wanted: TokenExchangeRequest, signal: AbortSignal): Promise<ExchangedToken> {
    return inSpan(
      'token exchange',
      { kind: 'CLIENT', attributes: { [attributes.audience]: wanted.resource } },
      () => this.#exchange(wanted, signal),
    );
  }

  async #exchange(wanted: TokenExchangeRequest, signal: AbortSignal): Promise<ExchangedToken> {
    const { status, body } = await this.#post(wanted, signal);
    const answer = status === 200 ? answerSchema.safeParse(body).data : undefined;
    if (answer) return { accessToken: answer.access_token, expiresInSeconds: answer.expires_in };
    const error = errorSchema.safeParse(body).data?.error;
    if (status < 500 && error !== undefined && refusals.has(error))
      throw new McpError(behalfErrorCodes.denied, 'No token for this server was issued on your behalf', {
        status: 403,
        data: { error },
        cause: error,
      });
    throw unavailable(`token endpoint: ${status} ${error ?? 'unreadable'}`);
  }

  async #post(wanted: TokenExchangeRequest, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    const { tokenEndpoint, clientId, clientSecret, timeoutMs } = this.options;
    const form = new URLSearchParams({
      grant_type: grantTypes.tokenExchange,
      subject_token: wanted.subjectToken,
      subject_token_type: tokenTypes.accessToken,
      requested_token_type: tokenTypes.accessToken,
      resource: wanted.resource,
      ...(wanted.scopes && { scope: wanted.scopes.join(' ') }),
    });
    const credentials = [clientId, clientSecret].map(formEncode).join(':');
    try {
      const { statusCode, body } = await request(tokenEndpoint, {
        method: 'POST',
        headers: {
          ...injectTraceContext(),
          accept: 'application/json',
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: form.toString(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      return { status: statusCode, body: await body.json().catch(() => undefined) };
    } catch (cause) {
      throw abortedFor(signal) ?? unavailable(cause);
    }
  }
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
function formEncode(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}

function unavailable(cause: unknown): McpError {
  return new McpError(mcpErrorCodes.internalError, 'The authorization server could not be asked', {
    status: 503,
    retryAfterSeconds: 2,
    cause,
  });
}
