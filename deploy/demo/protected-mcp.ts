import { toNodeHandler } from '@modelcontextprotocol/node';
import { type AuthInfo, type McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type SeenToken, type TrustedIssuer, accessTokenVerifier } from './verify-access-token.js';

export interface ProtectedMcpOptions extends TrustedIssuer {
  /** What people are told it is. */
  name: string;
  port: number;
  host?: string;
}

/**
 * Serves MCP servers, one for each request, as a protected resource: both eras, at the path of the resource identifier,
 * with resource metadata and challenges of its own. Closing ends its open streams too.
 */
export async function serveProtectedMcp(
  options: ProtectedMcpOptions,
  build: (seen: SeenToken) => McpServer,
): Promise<{ close(): Promise<void> }> {
  const { port, host = '127.0.0.1' } = options;
  const server = createProtectedServer(options, build);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function createProtectedServer(
  { name, ...trusted }: ProtectedMcpOptions,
  build: (seen: SeenToken) => McpServer,
): Server {
  const verify = accessTokenVerifier(trusted);
  const resource = new URL(trusted.resource);
  const metadataPath = `/.well-known/oauth-protected-resource${resource.pathname === '/' ? '' : resource.pathname}`;
  const mcp = toNodeHandler(
    createMcpHandler(({ authInfo }) => build(authInfo?.extra?.['seen'] as SeenToken)),
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
          resource_name: name,
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
