import { type Json, isJsonObject, mcpErrorCodes } from '@behalf/mcp';
import { redactResult } from '@behalf/policy';

/**
 * Takes fields out of whatever an upstream says while it works on a request: the obligation `redact`. Words that are
 * not JSON could hold any field, so those of errors and of progress are withheld, and log messages are dropped.
 *
 * @returns undefined for a message that must not pass
 */
export function redactAnswer(message: Json, fields: readonly string[]): Json | undefined {
  if (fields.length === 0) return message;
  const { id, result, error, method, params } = message;
  // Only the members that are known: whatever else stands beside them would pass as it is.
  if (isJsonObject(result)) return { jsonrpc: '2.0', id, ...redactedOutcome(result, fields) };
  if (isJsonObject(error)) return { jsonrpc: '2.0', id, error: withheldError(error['code']) };
  if (method !== 'notifications/progress' || !isJsonObject(params)) return undefined;
  const { progressToken, progress, total } = params;
  return { jsonrpc: '2.0', method, params: { progressToken, progress, total } };
}

/** The result of a task is fetched later, by a request that has no such duty, so there must be no task. */
function redactedOutcome(result: Json, fields: readonly string[]): Json {
  const isTask = result['resultType'] === 'task' || isJsonObject(result['task']);
  return isTask
    ? { error: withheldError(mcpErrorCodes.internalError) }
    : { result: redactResult(result, fields) };
}

function withheldError(code: unknown): Json {
  return {
    code: typeof code === 'number' ? code : mcpErrorCodes.internalError,
    message: 'The server did not answer with a result; its words are withheld',
  };
}
