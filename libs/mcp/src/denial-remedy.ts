import type { Era } from './classify-era.js';
import { McpError, behalfErrorCodes } from './mcp-error.js';
import { type Json, type McpRequest, isJsonObject } from './mcp-message.js';
import { metaKeys } from './meta-keys.js';
import { showsUrls } from './shows-urls.js';

/** A denial that somebody can do something about, in words that a model can pass on to its person. */
export interface DenialRemedy {
  text: string;
  /** Where approval of this very call is decided. */
  approval?: { id: string; status: string; url?: string | undefined; expiresAt: string };
}

/** Our own key among the inputs of a call; those of the server behind have other names. */
const inputKey = 'behalf/approval';

/** The methods that may be answered with a request for input. @see MCP 2026-07-28, basic/patterns/mrtr */
export const mayAskForInput: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** A denied `tools/call`, with what to do about it. As `deniedToolResult` otherwise. */
export function remediableToolResult(era: Era, decisionId: string | undefined, remedy: DenialRemedy): Json {
  return {
    ...(era === 'modern' && { resultType: 'complete' }),
    isError: true,
    content: [{ type: 'text', text: remedy.text }],
    _meta: remedyMeta(decisionId, remedy),
  };
}

/** Every other denied request, with what to do about it. */
export function remediableError(decisionId: string | undefined, remedy: DenialRemedy): McpError {
  return new McpError(behalfErrorCodes.denied, remedy.text, {
    status: 200,
    data: remedyMeta(decisionId, remedy),
  });
}

/**
 * The denial as a request to open the page of the approval, for a client that said it can show one. Undefined for any
 * other client, and once the client has answered: whoever approves may take their time, and asking the same again and
 * again would only make the person tired of it.
 *
 * There is no state in it: what was approved is known where it was approved, and nothing that comes back is believed.
 *
 * @see MCP 2026-07-28, client/elicitation, "URL mode"
 */
export function approvalInputRequest(
  era: Era,
  request: McpRequest,
  decisionId: string | undefined,
  remedy: DenialRemedy,
): Json | undefined {
  const { url } = remedy.approval ?? {};
  if (era !== 'modern' || url === undefined || !mayAskForInput.has(request.method)) return undefined;
  if (!showsUrls(request)) return undefined;
  // With a state, the call is half done behind us, and asking would lose it.
  if (request.params?.['requestState'] !== undefined || isAnswered(request)) return undefined;
  return {
    resultType: 'input_required',
    inputRequests: {
      [inputKey]: { method: 'elicitation/create', params: { mode: 'url', url, message: remedy.text } },
    },
    _meta: remedyMeta(decisionId, remedy),
  };
}

/** The request without the answer to our own request for input, which the server behind knows nothing of. */
export function withoutApprovalInput(request: McpRequest): McpRequest {
  if (!isAnswered(request)) return request;
  const { inputResponses, ...params } = request.params ?? {};
  const { [inputKey]: _ours, ...others } = inputResponses as Json;
  return {
    ...request,
    params: Object.keys(others).length === 0 ? params : { ...params, inputResponses: others },
  };
}

function isAnswered({ params }: McpRequest): boolean {
  const responses = params?.['inputResponses'];
  return isJsonObject(responses) && Object.hasOwn(responses, inputKey);
}

function remedyMeta(decisionId: string | undefined, { approval }: DenialRemedy): Json {
  return {
    ...(decisionId !== undefined && { [metaKeys.decision]: { id: decisionId } }),
    ...(approval !== undefined && { [metaKeys.approval]: approval }),
  };
}
