import type { IncomingMessage, ServerResponse } from 'node:http';

const allowedHeaders = [
  'authorization',
  'dpop',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-session-id',
  'last-event-id',
  'traceparent',
  'tracestate',
];

/** Lets pages of one origin, or of all, read the answer and see what MCP clients must see of it. */
export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader(
    'Access-Control-Expose-Headers',
    'WWW-Authenticate, Mcp-Session-Id, Retry-After, DPoP-Nonce',
  );
  if (origin !== '*') response.appendHeader('Vary', 'Origin');
}

/** Answers a preflight. `Mcp-Param-*` has no fixed names, so those that are asked for are allowed. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, methods: string): void {
  const asked = (request.headers['access-control-request-headers'] ?? '').toLowerCase().split(',');
  const params = asked.map((name) => name.trim()).filter((name) => /^mcp-param-[a-z0-9_-]+$/.test(name));
  response.setHeader('Access-Control-Allow-Methods', methods);
  response.setHeader('Access-Control-Allow-Headers', [...allowedHeaders, ...params].join(', '));
  response.setHeader('Access-Control-Max-Age', '600');
  response.writeHead(204).end();
}
