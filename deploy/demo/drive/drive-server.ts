import { ThirdParty, toolV2 } from '@behalf/sdk';
import { McpServer } from '@modelcontextprotocol/server';
import { serveProtectedMcp } from '../protected-mcp.js';
import type { TrustedIssuer } from '../verify-access-token.js';

export interface DriveServerOptions extends TrustedIssuer {
  port: number;
  host?: string;
  clientId: string;
  clientSecret: string;
  /** The third party's API, which is also its resource indicator. */
  api: string;
}

/** An MCP server that needs its callers' accounts at a third party, and never keeps one: the three lines are marked. */
export function startDriveServer({ api, clientId, clientSecret, ...options }: DriveServerOptions) {
  const { issuer } = options;
  const drive = new ThirdParty({ issuer, clientId, clientSecret, resource: api, scope: 'files.read' }); // 1
  return serveProtectedMcp({ ...options, name: 'Files in Demo Drive' }, () => {
    const server = new McpServer({ name: 'drive', version: '1.0.0' });
    const listFiles = toolV2(drive, server, 'list_files', (_args, _context, token) => filesOf(api, token)); // 2
    const description = 'Lists the files that the person has in Demo Drive.';
    server.registerTool('list_files', { description, annotations: { readOnlyHint: true } }, listFiles); // 3
    return server;
  });
}

async function filesOf(api: string, token: string) {
  const response = await fetch(`${api}/files`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok)
    return {
      isError: true,
      content: [{ type: 'text' as const, text: `Demo Drive answered ${response.status}` }],
    };
  return { content: [{ type: 'text' as const, text: await response.text() }] };
}
