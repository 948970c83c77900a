import {
  type ShownOffer,
  renderCompleteNotification,
  renderInputRequired,
  renderMeta,
  renderPushedRequest,
  renderRequiredError,
  renderText,
  renderToolResult,
} from '@behalf/elicitation';
import {
  type Json,
  McpError,
  type McpRequest,
  behalfErrorCodes,
  mayAskForInput,
  mcpErrorCodes,
  showsUrls,
} from '@behalf/mcp';
import { type InteractionRequired, type ThirdParty, ThirdPartyTokenError } from '@behalf/sdk';
import type { McpAnswer } from '../http/mcp-answer.js';
import { formatEvent } from '../upstream/sse-events.js';
import type { Exchange } from '../upstream/upstream.js';
import { respondDeclined } from './declined.js';
import { ourState, readElicitedRequest } from './elicited-request.js';
import type { PushedRequests } from './pushed-requests.js';

/** How long a retry waits for a person who is just at it, and how long a client that was asked on its stream does. */
const retryWaitSeconds = 15;
const pushWaitSeconds = 25;

export interface LentTokensOptions {
  thirdParty: ThirdParty;
  header: string;
  prefix: string;
  pushed: PushedRequests;
  /** Whether the client of a session said that it can show URLs. */
  sessionShowsUrls: (exchange: Exchange) => boolean;
  nowMs: () => number;
}

/**
 * Third-party tokens for one upstream that knows nothing of them. The token goes into a header of the call and nowhere
 * else; where the person has to be asked first, the client is told in the way it can show.
 */
export class LentTokens {
  constructor(private readonly options: LentTokensOptions) {}

  /**
   * @returns the exchange as it goes on; undefined when the caller has been answered
   * @throws McpError when there is neither a token nor anybody to ask
   */
  async lend(exchange: Exchange, answer: McpAnswer): Promise<Exchange | undefined> {
    const { message, caller } = exchange;
    if (message.kind === 'response' && (await this.options.pushed.settle(caller, message))) {
      answer.accepted();
      return undefined;
    }
    if (message.kind !== 'request' || !mayAskForInput.has(message.method)) return exchange;
    const elicited = readElicitedRequest(message);
    if (elicited.action !== undefined && elicited.action !== 'accept')
      return this.#declined(exchange, message, answer);
    const forwarded = { ...exchange, message: elicited.message };
    const ask = (requestState: string | undefined, waitSeconds: number) =>
      this.#tokenFor(forwarded, elicited.message, requestState, waitSeconds);
    try {
      const state = elicited.requestState;
      const token = await ask(state, state === undefined ? 0 : retryWaitSeconds);
      if (token.kind === 'token') return this.#inject(forwarded, token.accessToken);
      const pushed = await this.#push(exchange, answer, token, (offer) =>
        ask(offer.requestState, pushWaitSeconds),
      );
      if (pushed === 'declined') return this.#declined(exchange, message, answer);
      if (pushed) return this.#inject(forwarded, pushed.accessToken);
      this.#render(exchange, message, answer, token, state !== undefined);
      return undefined;
    } catch (error) {
      if (!(error instanceof ThirdPartyTokenError)) throw error;
      if (error.code === 'access_denied') return this.#declined(exchange, message, answer);
      throw refusal(error);
    }
  }

  #tokenFor(
    { server, callerToken, signal }: Exchange,
    { method, params = {} }: McpRequest,
    requestState: string | undefined,
    waitSeconds: number,
  ) {
    const { name, uri, arguments: args } = params;
    return this.options.thirdParty.tokenFor({
      subjectToken: callerToken,
      // The person is told which server wants it: to the authorization server all of them are the gateway.
      request: {
        method: method as 'tools/call',
        name: `${server}/${String(name ?? uri)}`,
        arguments: args,
      },
      requestState,
      waitSeconds,
      signal,
    });
  }

  #inject(exchange: Exchange, accessToken: string): Exchange {
    const { header, prefix } = this.options;
    return { ...exchange, injected: { [header]: `${prefix}${accessToken}` } };
  }

  /**
   * Asks on the stream of the request, where there is one, and waits for the person as long as clients usually wait.
   *
   * @returns undefined when that cannot be done, or the person needs longer: then the client is told in another way
   */
  async #push(
    exchange: Exchange,
    answer: McpAnswer,
    interaction: InteractionRequired,
    again: (interaction: InteractionRequired) => ReturnType<ThirdParty['tokenFor']>,
  ): Promise<{ accessToken: string } | 'declined' | undefined> {
    const { era, caller, signal } = exchange;
    if (era !== 'legacy' || !answer.canStream || !this.options.sessionShowsUrls(exchange)) return undefined;
    const pushed = await this.options.pushed.begin(caller);
    if (!pushed) return undefined;
    const offer = this.#offerOf(interaction);
    const gone = Promise.withResolvers<'gone'>();
    const stop = (): void => gone.resolve('gone');
    signal.addEventListener('abort', stop, { once: true });
    const late = setTimeout(stop, pushWaitSeconds * 1000);
    try {
      answer.startStream();
      const request = { jsonrpc: '2.0', id: pushed.id, ...renderPushedRequest(offer) };
      await answer.writeEvent(messageEvent(request));
      const action = await Promise.race([pushed.answer, gone.promise]);
      if (action !== 'accept') return action === 'gone' ? undefined : 'declined';
      const token = await again(interaction);
      if (token.kind !== 'token') return undefined;
      await answer.writeEvent(messageEvent(renderCompleteNotification(offer)));
      return { accessToken: token.accessToken };
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      pushed.end();
    }
  }

  #render(
    exchange: Exchange,
    request: McpRequest,
    answer: McpAnswer,
    interaction: InteractionRequired,
    isRetry: boolean,
  ): void {
    const { era } = exchange;
    const offer = this.#offerOf(interaction);
    if (era === 'modern' && showsUrls(request)) {
      const { inputRequests, ...rest } = renderInputRequired(offer);
      // Once they have the link they are not shown it again: from then on the client only asks how far they are.
      return answer.respond(isRetry ? rest : { ...rest, inputRequests });
    }
    if (era === 'legacy' && this.options.sessionShowsUrls(exchange)) {
      const { code, message, data } = renderRequiredError([offer]);
      throw new McpError(code, message, { status: 200, data });
    }
    if (request.method === 'tools/call') return answer.respond(renderToolResult(era, offer));
    throw new McpError(behalfErrorCodes.denied, renderText(offer), { status: 200, data: renderMeta(offer) });
  }

  #offerOf({ elicitationId, url, message, requestState, expiresInSeconds }: InteractionRequired): ShownOffer {
    return {
      id: elicitationId,
      url,
      message,
      requestState: ourState(requestState),
      expiresAtMs: this.options.nowMs() + expiresInSeconds * 1000,
    };
  }

  #declined({ era }: Exchange, request: McpRequest, answer: McpAnswer): undefined {
    respondDeclined(era, request, answer);
    return undefined;
  }
}

function messageEvent(message: Json): string {
  return formatEvent({ otherLines: ['event: message'], id: undefined, data: JSON.stringify(message) });
}

function refusal(error: ThirdPartyTokenError): McpError {
  if (error.code === 'temporarily_unavailable')
    return new McpError(mcpErrorCodes.internalError, 'The third party cannot be asked for now', {
      status: 503,
      retryAfterSeconds: error.retryAfterSeconds ?? 2,
      cause: error,
    });
  // Our state, altered, or taken from another call.
  const code = error.code === 'invalid_request' ? mcpErrorCodes.invalidParams : behalfErrorCodes.denied;
  return new McpError(code, 'No token of the third party was issued on your behalf', {
    status: error.code === 'invalid_request' ? 200 : 403,
    cause: error,
  });
}
