import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const info = { name: 'test', version: '1' };
const bearer = (token: string) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

/** A client of today's v2 SDK. */
export async function connectModern(url: string, token: string, mode: 'auto' | { pin: '2026-07-28' }) {
  const client = new ModernClient(info, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(new URL(url), bearer(token)));
  return client;
}

/** A client of the v1 SDK. */
export async function connectLegacy(url: string, token: string) {
  const client = new LegacyClient(info);
  await client.connect(new LegacyTransport(new URL(url), bearer(token)));
  return client;
}

/** One JSON-RPC request of 2026-07-28 with everything it needs; `headers` and `body` change it. */
export function modernRequest(
  method: string,
  params: Record<string, unknown> = {},
  { headers = {}, token }: { headers?: Record<string, string | undefined>; token?: string } = {},
): RequestInit {
  const name = params['name'] ?? params['uri'];
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    ...(params['_meta'] as object | undefined),
  };
  return {
    method: 'POST',
    headers: Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  };
}
