import type { Era } from './classify-era.js';
import { McpError, behalfErrorCodes } from './mcp-error.js';
import type { Json } from './mcp-message.js';
import { metaKeys } from './meta-keys.js';

/**
 * How a denied `tools/call` is answered, in both eras: a tool result with `isError`, in words and with the decision's
 * id in `_meta`. A model can read it, stop trying and tell its person; a JSON-RPC error would end at the client
 * library. HTTP stays 200 because no other token or scope would change the answer (403 is for those, with a challenge).
 *
 * Why it was denied is not told, and a tool that is hidden, unknown or forbidden gets the same words.
 */
export function deniedToolResult(era: Era, decisionId: string | undefined): Json {
  return {
    ...(era === 'modern' && { resultType: 'complete' }),
    isError: true,
    content: [{ type: 'text', text: deniedText(decisionId) }],
    ...(decisionId !== undefined && { _meta: { [metaKeys.decision]: { id: decisionId } } }),
  };
}

/** How every other denied request is answered: a JSON-RPC error with a code of ours and the decision's id as data. */
export function deniedError(decisionId: string | undefined): McpError {
  return new McpError(behalfErrorCodes.denied, deniedText(decisionId), {
    status: 200,
    data: decisionId === undefined ? undefined : { [metaKeys.decision]: { id: decisionId } },
  });
}

function deniedText(decisionId: string | undefined): string {
  return decisionId === undefined
    ? 'Denied: you may not do this.'
    : `Denied: you may not do this. Decision ${decisionId}.`;
}
