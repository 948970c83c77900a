import { toNodeHandler } from '@modelcontextprotocol/node';
import { type AuthInfo, type McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import { OAuthError } from '@behalf/oauth';
import { systemClock } from '@behalf/ports';
import {
  bearerChallenge,
  DpopNonces,
  dpopChallenge,
  readPresentedToken,
  SenderConstraints,
} from '@behalf/resource-server';
import { randomBytes } from 'node:crypto';
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
 * with resource metadata and challenges of its own. DPoP proofs have to carry its nonce. Closing ends its open streams too.
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

  const nonceSecrets = [randomBytes(32)];
  const constraints = new SenderConstraints({
    clock: systemClock,
    oneTime: new MemoryOneTimeStore(systemClock),
    nonces: new DpopNonces(() => nonceSecrets, systemClock),
    requireNonce: true,
  });

  const authenticate = async (request: IncomingMessage, response: ServerResponse): Promise<AuthInfo> => {
    const query = new URL(request.url ?? '/', resource.origin).searchParams;
    const presented = readPresentedToken(request.headers.authorization, query);
    if (!presented) throw new OAuthError('invalid_token', 'an access token is needed');
    if (presented.scheme === 'DPoP') response.setHeader('DPoP-Nonce', constraints.nonce);
    const seen = await verify(presented.token).catch((cause: unknown) => {
      throw new OAuthError('invalid_token', 'the access token is not valid here', { cause });
    });
    const proofs = request.headersDistinct['dpop'] ?? [];
    const method = request.method ?? '';
    await constraints.check(seen, { ...presented, proofs, method, url: trusted.resource });
    return {
      token: presented.token,
      clientId: seen.client_id,
      scopes: seen.scope.split(' ').filter(Boolean),
      expiresAt: seen.exp,
      resource,
      extra: { seen },
    };
  };
  const challenge = ({ headers: { authorization } }: IncomingMessage, error: OAuthError): string => {
    const options = {
      resourceMetadata: `${resource.origin}${metadataPath}`,
      scope: 'mcp:tools',
      ...(authorization !== undefined && { error }),
    };
    return /^dpop /i.test(authorization ?? '') ? dpopChallenge(options) : bearerChallenge(options);
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
    try {
      request.auth = await authenticate(request, response);
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      response.writeHead(error.status, { 'WWW-Authenticate': challenge(request, error) }).end();
      return;
    }
    await mcp(request, response);
  };
  return createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
}
