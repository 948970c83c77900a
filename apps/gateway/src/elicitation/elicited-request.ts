import { elicitationInputKey } from '@behalf/elicitation';
import { type Json, type McpRequest, isJsonObject } from '@behalf/mcp';

/** Tells our state from that of the server behind, which passes through untouched. */
export const elicitedStatePrefix = 'behalf-elicitation.';

export interface ElicitedRequest {
  /** As the server behind gets it: it knows nothing of what was between the client and us. */
  message: McpRequest;
  requestState: string | undefined;
  /** What the client said it did with the link, where it was asked. */
  action: unknown;
}

export function ourState(sealed: string): string {
  return `${elicitedStatePrefix}${sealed}`;
}

/** Takes what is ours out of a request. */
export function readElicitedRequest(request: McpRequest): ElicitedRequest {
  const { requestState, inputResponses, ...params } = request.params ?? {};
  const isOurs = typeof requestState === 'string' && requestState.startsWith(elicitedStatePrefix);
  const responses = isJsonObject(inputResponses) ? inputResponses : undefined;
  const { [elicitationInputKey]: response, ...others } = responses ?? {};
  if (!isOurs && response === undefined)
    return { message: request, requestState: undefined, action: undefined };
  const kept: Json = {
    ...params,
    ...(Object.keys(others).length > 0 && { inputResponses: others }),
    ...(requestState !== undefined && !isOurs && { requestState }),
  };
  return {
    message: { ...request, params: kept },
    requestState: isOurs ? requestState.slice(elicitedStatePrefix.length) : undefined,
    action: isJsonObject(response) ? response['action'] : undefined,
  };
}
