import { McpError, behalfErrorCodes, mcpErrorCodes } from '@behalf/mcp';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { attributes, inSpan, injectTraceContext } from '@behalf/telemetry';
import { request } from 'undici';
import { z } from 'zod';
import { abortedFor } from './aborted-for.js';
import type { DpopKey } from './dpop-key.js';
import type { ExchangedToken, TokenExchangeRequest, TokenExchanger } from './token-exchanger.js';

const answerSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().optional(),
});
const handedOverSchema = z.object({ cnf: z.object({ jkt: z.string() }) });
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
  /** The token endpoint's URL as the authorization server knows it, which proofs are for. */
  provedUrl: string;
  key: DpopKey;
  clientId: string;
  clientSecret: () => string;
  timeoutMs: number;
}

/**
 * Exchanges tokens at the authorization server's token endpoint, authenticated by `client_secret_basic`.
 *
 * A token that is bound to the caller's key is exchanged for one that is bound to the gateway's: the proof that the
 * caller made for the gateway is handed on, next to one of the gateway's own. A token that hands itself over to that key,
 * as those do that are bound to a client certificate, takes the gateway's proof alone. A bearer token in return is
 * refused, and so is a bound one where none was asked for.
 *
 * @see RFC 8693 §2.1, RFC 6749 §2.3.1, RFC 9449 §5
 */
export class HttpTokenExchanger implements TokenExchanger {
  constructor(private readonly options: HttpTokenExchangerOptions) {}

  exchange(wanted: TokenExchangeRequest, signal: AbortSignal): Promise<ExchangedToken> {
    return inSpan(
      'token exchange',
      { kind: 'CLIENT', attributes: { [attributes.audience]: wanted.resource } },
      async (span) => ({
        ...(await this.#exchange(wanted, signal)),
        ...(span.isRecording() && { exchangedIn: span.spanContext() }),
      }),
    );
  }

  async #exchange(wanted: TokenExchangeRequest, signal: AbortSignal): Promise<ExchangedToken> {
    const { key: own } = this.options;
    const needsKey = wanted.subjectProof !== undefined || (await own.jkt) === handedOverTo(wanted.claims);
    const key = needsKey ? own : undefined;
    let { status, body } = await this.#post(wanted, key, signal);
    let error = errorSchema.safeParse(body).data?.error;
    if (key && error === 'use_dpop_nonce') {
      // What was handed on is not used up by this: proofs are judged after the nonce.
      ({ status, body } = await this.#post(wanted, key, signal));
      error = errorSchema.safeParse(body).data?.error;
    }
    const answer = status === 200 ? answerSchema.safeParse(body).data : undefined;
    if (answer?.token_type.toLowerCase() === (key ? 'dpop' : 'bearer'))
      return { accessToken: answer.access_token, expiresInSeconds: answer.expires_in, key };
    if (status < 500 && error !== undefined && refusals.has(error))
      throw new McpError(behalfErrorCodes.denied, 'No token for this server was issued on your behalf', {
        status: 403,
        data: { error },
        cause: error,
      });
    throw unavailable(`token endpoint: ${status} ${error ?? 'unreadable'}`);
  }

  async #post(
    wanted: TokenExchangeRequest,
    key: DpopKey | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; body: unknown }> {
    const { tokenEndpoint, provedUrl: url, clientId, clientSecret, timeoutMs } = this.options;
    const form = new URLSearchParams({
      grant_type: grantTypes.tokenExchange,
      subject_token: wanted.subjectToken,
      subject_token_type: tokenTypes.accessToken,
      requested_token_type: tokenTypes.accessToken,
      resource: wanted.resource,
      ...(wanted.scopes && { scope: wanted.scopes.join(' ') }),
      ...(wanted.subjectProof !== undefined && { subject_token_proof: wanted.subjectProof }),
    });
    const credentials = [clientId, clientSecret()].map(formEncode).join(':');
    const proof = await key?.prove({ method: 'POST', url });
    try {
      const { statusCode, headers, body } = await request(tokenEndpoint, {
        method: 'POST',
        headers: {
          ...injectTraceContext(),
          accept: 'application/json',
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          ...(proof !== undefined && { dpop: proof }),
        },
        body: form.toString(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      key?.learn(url, headers);
      return { status: statusCode, body: await body.json().catch(() => undefined) };
    } catch (cause) {
      throw abortedFor(signal) ?? unavailable(cause);
    }
  }
}

/** The key in `may_act.cnf`. Whether that is ours to prove, the authorization server looks at. */
function handedOverTo({ may_act: mayAct }: AccessTokenClaims): string | undefined {
  return handedOverSchema.safeParse(mayAct).data?.cnf.jkt;
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
