export interface McpAnswer {
  status: number;
  headers: Headers;
  body: any;
}

export interface McpRequestOptions {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Sent as it is instead of the message. */
  rawBody?: string;
}

const modernVersion = '2026-07-28';
let nextId = 1;

/** One request in the form of MCP 2026-07-28: everything stands in the message, and the headers repeat it. */
export function mcpRequest(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  options: McpRequestOptions = {},
): Promise<McpAnswer> {
  const message = {
    jsonrpc: '2.0',
    id: nextId++,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': modernVersion,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'behalf-test', version: '1.0.0' },
        ...(params['_meta'] as object),
      },
    },
  };
  const name = params['name'] ?? params['uri'];
  return post(url, options.rawBody ?? JSON.stringify(message), {
    'mcp-protocol-version': modernVersion,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    ...options.headers,
  });
}

export const callTool = (
  url: string,
  name: string,
  args: Record<string, unknown> = {},
  options: McpRequestOptions = {},
): Promise<McpAnswer> => mcpRequest(url, 'tools/call', { name, arguments: args }, options);

/** One request in the form of an older revision, without a session. */
export function legacyRequest(
  url: string,
  method: string,
  params: Record<string, unknown>,
  options: McpRequestOptions & { version?: string } = {},
): Promise<McpAnswer> {
  return post(url, JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }), {
    ...(options.version !== undefined && { 'mcp-protocol-version': options.version }),
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    ...options.headers,
  });
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<McpAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: parseAnswer(response, await response.text()),
  };
}

/** The response, be it JSON or the last event of a stream. */
function parseAnswer(response: Response, text: string): any {
  if (text === '') return undefined;
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return JSON.parse(text);
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  return JSON.parse(data.at(-1)?.slice('data: '.length) ?? 'null');
}
