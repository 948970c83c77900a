import type { ElicitationOffer } from '@behalf/contracts';

type Json = Record<string, unknown>;
/** What a client has to be shown, whichever way. */
export type ShownOffer = Pick<ElicitationOffer, 'id' | 'url' | 'message' | 'expiresAtMs' | 'requestState'>;

/** The key of our request among the inputs of a call. */
export const elicitationInputKey = 'behalf/elicitation';
/** The key of the offer in `_meta`, for clients that are programs. */
const elicitationMetaKey = 'behalf/elicitation';

/** JSON-RPC: the client has to open a URL first. Revision 2025-11-25 only. */
export const urlElicitationRequired = -32042;

/**
 * For a client of the stateless era that can show URLs: the result in place of the real one. The client repeats the
 * request with `requestState`; that it accepted means only that it opened the page.
 *
 * @see MCP 2026-07-28, client/elicitation, "URL mode"; basic/patterns/mrtr
 */
export function renderInputRequired({ url, message, requestState }: ShownOffer): Json {
  return {
    resultType: 'input_required',
    inputRequests: {
      [elicitationInputKey]: { method: 'elicitation/create', params: { mode: 'url', url, message } },
    },
    requestState,
  };
}

/** For a client of the session era, pushed on the stream of its request. @see MCP 2025-11-25, client/elicitation */
export function renderPushedRequest({ id, url, message }: ShownOffer): { method: string; params: Json } {
  return { method: 'elicitation/create', params: { mode: 'url', elicitationId: id, url, message } };
}

/** For a client of the session era that nothing can be pushed to. It repeats the request once it was told that it is over. */
export function renderRequiredError(offers: readonly ShownOffer[]): {
  code: number;
  message: string;
  data: Json;
} {
  return {
    code: urlElicitationRequired,
    message: 'This request needs something from its person first.',
    data: { elicitations: offers.map((offer) => renderPushedRequest(offer).params) },
  };
}

/** Tells the client that sent the request that the page is done. @see MCP 2025-11-25, client/elicitation */
export function renderCompleteNotification({ id }: Pick<ShownOffer, 'id'>): Json {
  return { jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId: id } };
}

/** For everybody else: words with the link, which a model passes on to its person. */
export function renderToolResult(era: 'modern' | 'legacy', offer: ShownOffer): Json {
  return {
    ...(era === 'modern' && { resultType: 'complete' }),
    isError: true,
    content: [{ type: 'text', text: renderText(offer) }],
    _meta: renderMeta(offer),
  };
}

export function renderText({ url, message, expiresAtMs }: ShownOffer): string {
  const until = new Date(expiresAtMs).toISOString();
  return `${message} ${url} (until ${until}). Then repeat exactly the same call.`;
}

export function renderMeta({ id, url, expiresAtMs }: ShownOffer): Json {
  return { [elicitationMetaKey]: { id, url, expiresAt: new Date(expiresAtMs).toISOString() } };
}
