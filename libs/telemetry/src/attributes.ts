/**
 * The attributes on our spans and metrics. `mcp.*` and `gen_ai.*` follow the OpenTelemetry GenAI conventions; `behalf.*` say who
 * acts for whom. None may hold a token, a secret, an e-mail address or an argument.
 */
export const attributes = {
  actorChain: 'behalf.actor.chain',
  actorDepth: 'behalf.actor.depth',
  decisionId: 'behalf.decision.id',
  decision: 'behalf.decision',
  decisionReason: 'behalf.decision.reason',
  grantId: 'behalf.grant.id',
  txn: 'behalf.txn',
  audience: 'behalf.audience',
  clientId: 'behalf.client.id',
  upstream: 'behalf.upstream',
  mcpMethod: 'mcp.method.name',
  mcpProtocolVersion: 'mcp.protocol.version',
  toolName: 'gen_ai.tool.name',
  promptName: 'gen_ai.prompt.name',
  operationName: 'gen_ai.operation.name',
  jsonRpcRequestId: 'jsonrpc.request.id',
  errorType: 'error.type',
  serviceName: 'service.name',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
} as const;
