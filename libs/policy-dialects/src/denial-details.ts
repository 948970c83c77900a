import type { EvaluationDecision } from '@behalf/contracts';

/** The code that COAZ-MCP and agentgateway give to a denial. */
export const deniedCode = -32001;

/** What a denied caller may be told: which decision it was, and how to get another one. Never why. */
export function denialDetails({ context }: EvaluationDecision): Record<string, unknown> {
  const { id, obligations, access_request } = context ?? {};
  return {
    ...(id !== undefined && { decisionId: id }),
    // Step-up and access requests are for the caller to act on (Obligations Profile, Access Request Profile).
    ...(obligations !== undefined && { obligations }),
    ...(access_request !== undefined && { access_request }),
  };
}

/** A JSON-RPC error response, as text: the body that a proxy shows to the client that was refused. */
export function jsonRpcErrorBody(
  id: string | number | null,
  code: number,
  message: string,
  data?: Record<string, unknown>,
): string {
  const error = { code, message, ...(data !== undefined && Object.keys(data).length > 0 && { data }) };
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}
