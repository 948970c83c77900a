import {
  type Json,
  McpError,
  type McpRequest,
  behalfErrorCodes,
  isJsonObject,
  mayAskForInput,
  showsUrls,
} from '@behalf/mcp';
import { createHash } from 'node:crypto';

/** The keys of what a server of the session era asks for, among the inputs that a client of the stateless era sends. */
const inputKey = 'behalf/server-elicitation-';
/** Says which links were shown. A client that makes one up only keeps them from itself. */
export const shownStatePrefix = 'behalf-shown.';

export interface EarlierElicitation {
  isDeclined: boolean;
  /** Of the elicitations that the client was shown before. */
  shown: string | undefined;
}

/** What a client of the stateless era says with a retry about links that a server of the session era gave it. */
export function readEarlier({ params = {} }: McpRequest): EarlierElicitation {
  const { inputResponses, requestState } = params;
  const responses = isJsonObject(inputResponses) ? Object.entries(inputResponses) : [];
  const isDeclined = responses.some(
    ([key, response]) =>
      key.startsWith(inputKey) && !(isJsonObject(response) && response['action'] === 'accept'),
  );
  const isOurs = typeof requestState === 'string' && requestState.startsWith(shownStatePrefix);
  return { isDeclined, shown: isOurs ? requestState.slice(shownStatePrefix.length) : undefined };
}

/** True when these are the links that the client has: its person is still at them. */
export function wereShown(elicitations: readonly Json[], { shown }: EarlierElicitation): boolean {
  return shown === digestOf(elicitations);
}

/**
 * What a client of the stateless era is answered where a server of the session era said -32042: the links as inputs; on
 * a retry while the person is still at them the state alone, with which the client asks again; words for a client that
 * shows no URLs.
 *
 * @param elicitations attributed to the server
 * @throws McpError where there are no results to put words into
 * @see MCP 2026-07-28, basic/patterns/mrtr; 2025-11-25, client/elicitation, "URL Elicitation Required Error"
 */
export function renderRequired(
  request: McpRequest,
  elicitations: readonly Json[],
  earlier: EarlierElicitation,
): Json {
  if (showsUrls(request) && mayAskForInput.has(request.method)) {
    const requestState = `${shownStatePrefix}${digestOf(elicitations)}`;
    if (wereShown(elicitations, earlier)) return { resultType: 'input_required', requestState };
    const inputs = elicitations.map(({ url, message }, n) => [
      `${inputKey}${n}`,
      { method: 'elicitation/create', params: { mode: 'url', url, message } },
    ]);
    return { resultType: 'input_required', inputRequests: Object.fromEntries(inputs), requestState };
  }
  const links = elicitations.map(({ url, message }) => `${String(message)} ${String(url)}`);
  const text = `${links.join(' ')} Then repeat exactly the same call.`;
  if (request.method !== 'tools/call') throw new McpError(behalfErrorCodes.denied, text, { status: 200 });
  return { resultType: 'complete', isError: true, content: [{ type: 'text', text }] };
}

function digestOf(elicitations: readonly Json[]): string {
  const shown = elicitations.map(({ elicitationId, url }) => JSON.stringify([elicitationId, url])).toSorted();
  return createHash('sha256').update(shown.join()).digest('base64url');
}
