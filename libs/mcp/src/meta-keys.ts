/** Reserved keys of `_meta`. @see MCP 2026-07-28, basic, "_meta" */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  baggage: 'baggage',
  progressToken: 'progressToken',
  /** Ours: names the decision behind a denial. */
  decision: 'behalf/decision',
  /** Ours: names the request for approval that a denial waits for. */
  approval: 'behalf/approval',
} as const;

/** The prefix of the keys that only the stateless era knows. */
export const modernMetaPrefix = 'io.modelcontextprotocol/';
