import { toNodeHandler } from '@modelcontextprotocol/node';
import { type AuthInfo, McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type SeenToken, type TrustedIssuer, accessTokenVerifier } from './verify-access-token.js';

/**
 * An MCP server that shows on-behalf-of: its tool `whoami` answers with what the token it was called with says. Both
 * eras, at the path of its resource identifier, with resource metadata and challenges of its own.
 */
export function createWhoamiServer(trusted: TrustedIssuer): Server {
  const verify = accessTokenVerifier(trusted);
  const resource = new URL(trusted.resource);
  const metadataPath = `/.well-known/oauth-protected-resource${resource.pathname === '/' ? '' : resource.pathname}`;
  const mcp = toNodeHandler(
    createMcpHandler(({ authInfo }) => whoamiServer(authInfo?.extra?.['seen'] as SeenToken)),
  );

  const challenge = (response: ServerResponse, error?: string): void => {
    const parameters = [
      ...(error ? [`error="${error}"`] : []),
      'scope="mcp:tools"',
      `resource_metadata="${resource.origin}${metadataPath}"`,
    ];
    response.writeHead(401, { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` }).end();
  };
  const serve = async (
    request: IncomingMessage & { auth?: AuthInfo },
    response: ServerResponse,
  ): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', resource.origin);
    if (pathname === metadataPath && request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' });
      response.end(
        JSON.stringify({
          resource: trusted.resource,
          authorization_servers: [trusted.issuer],
          scopes_supported: ['mcp:tools'],
          bearer_methods_supported: ['header'],
          resource_name: 'Who am I',
        }),
      );
      return;
    }
    if (pathname !== resource.pathname) {
      response.writeHead(404).end();
      return;
    }
    const token = /^Bearer ([\w\-.~+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return challenge(response);
    let seen: SeenToken;
    try {
      seen = await verify(token);
    } catch {
      return challenge(response, 'invalid_token');
    }
    request.auth = {
      token,
      clientId: seen.client_id,
      scopes: seen.scope.split(' ').filter(Boolean),
      expiresAt: seen.exp,
      resource,
      extra: { seen },
    };
    await mcp(request, response);
  };
  return createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
}

function whoamiServer(seen: SeenToken): McpServer {
  const server = new McpServer({ name: 'whoami', version: '1.0.0' });
  server.registerTool(
    'whoami',
    {
      title: 'Who am I?',
      description:
        'Tells who this server believes is calling, and on whose behalf, from the token it was given.',
      annotations: { readOnlyHint: true },
    },
    () => {
      const { sub, act, aud, scope, client_id, txn } = seen;
      const answer = { sub, act, aud, scope, client_id, ...(txn !== undefined && { txn }) };
      return {
        content: [{ type: 'text', text: JSON.stringify(answer, null, 2) }],
        structuredContent: answer,
      };
    },
  );
  return server;
}
