import { type Caller, McpError, type McpRequest, behalfErrorCodes, mcpErrorCodes } from '@behalf/mcp';
import { OAuthError, ScopeSet, parseScope } from '@behalf/oauth';
import {
  type AccessTokenClaims,
  type AccessTokenVerifier,
  bearerChallenge,
  dpopChallenge,
  readPresentedToken,
  type SenderConstraints,
} from '@behalf/resource-server';
import type { ClientCertificates } from '@behalf/client-certificate';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { UpstreamSettings } from '../config.js';

/** What access tokens are checked with. */
export interface TokenChecks {
  verifier: AccessTokenVerifier;
  constraints: SenderConstraints;
  certificates: ClientCertificates;
}

export interface Authenticated {
  claims: AccessTokenClaims;
  token: string;
  /** The DPoP proof of a token that is bound to a key. It has been used up here. */
  proof: string | undefined;
}

/**
 * Finds and validates the caller's access token for one upstream. When there is a fault, the challenge that tells the
 * client what to do is already on the response.
 *
 * @throws McpError 401 without a token or with a bad one, 400 for a malformed one or one in the query, 503 when keys or
 *   revocations cannot be known
 * @see RFC 6750 §3, RFC 9449 §7, RFC 8705 §3, MCP 2026-07-28 authorization, "Error Handling"
 */
export async function authenticate(
  request: IncomingMessage,
  response: ServerResponse,
  upstream: UpstreamSettings,
  { verifier, constraints, certificates }: TokenChecks,
): Promise<Authenticated> {
  try {
    // Node would take the first; a proxy before us may have looked at another.
    if ((request.headersDistinct.authorization?.length ?? 0) > 1)
      throw new OAuthError('invalid_request', 'there is more than one Authorization header');
    const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
    const presented = readPresentedToken(request.headers.authorization, query);
    if (presented === undefined) {
      challenge(response, upstream, defaultScope(upstream));
      throw refused(401, 'An access token is needed');
    }
    if (presented.scheme === 'DPoP') response.setHeader('DPoP-Nonce', constraints.nonce);
    const presentation = {
      ...presented,
      proofs: request.headersDistinct['dpop'] ?? [],
      method: request.method ?? '',
      // What the client called is what the resource is called: a request arrives at no other path.
      url: upstream.resource,
      certificateThumbprint: certificates.thumbprint(request),
    };
    const claims = await verifier.verifyPresented(presentation, upstream.resource, constraints);
    if (upstream.config.requireDpop && claims.cnf?.jkt === undefined)
      throw new OAuthError('invalid_token', 'the access token must be bound to a DPoP key');
    return { token: presented.token, claims, proof: claims.cnf?.jkt && presentation.proofs[0] };
  } catch (error) {
    throw toRefusal(error, response, upstream);
  }
}

/**
 * Checks again what may have changed since: a body can take minutes to arrive, and the token must not have been revoked
 * or have expired meanwhile.
 *
 * @throws McpError as `authenticate`
 */
export function checkStillValid(
  { claims }: Authenticated,
  response: ServerResponse,
  upstream: UpstreamSettings,
  verifier: AccessTokenVerifier,
): void {
  try {
    verifier.checkStillValid(claims);
  } catch (error) {
    throw toRefusal(error, response, upstream);
  }
}

function toRefusal(error: unknown, response: ServerResponse, upstream: UpstreamSettings): unknown {
  if (!(error instanceof OAuthError)) return error;
  if (error.code === 'temporarily_unavailable')
    return new McpError(mcpErrorCodes.internalError, 'Tokens cannot be checked now', {
      status: 503,
      retryAfterSeconds: error.retryAfterSeconds,
      cause: error,
    });
  challenge(response, upstream, defaultScope(upstream), error);
  return refused(error.status, error.description, error);
}

function defaultScope({ config }: UpstreamSettings): string {
  return config.scopes.default.join(' ');
}

/**
 * Checks that the token carries every scope that is needed here, by a call of a tool or by anything else. The challenge
 * names all of them, held or not.
 *
 * @throws McpError 403
 */
export function checkScopes(
  caller: Caller,
  request: McpRequest | undefined,
  response: ServerResponse,
  upstream: UpstreamSettings,
): void {
  const { scopes } = upstream.config;
  const tool = request?.method === 'tools/call' ? request.params?.['name'] : undefined;
  const ofTool = typeof tool === 'string' && Object.hasOwn(scopes.tools, tool) ? scopes.tools[tool] : [];
  const needed = new ScopeSet([...scopes.default, ...(ofTool ?? [])]);
  if (needed.isSubsetOf(parseScope(caller.scope))) return;
  const error = new OAuthError('insufficient_scope', 'the access token lacks a scope that this call needs');
  challenge(response, upstream, needed.toString(), error);
  throw refused(403, error.description, error);
}

/**
 * Tells a client that policy asks for more scope, which scope that is, and what it should not lose by asking.
 *
 * @returns McpError 403
 * @see MCP 2026-07-28 authorization, "Scope Challenge Handling"
 */
export function stepUp(
  caller: Caller,
  needed: string,
  response: ServerResponse,
  upstream: UpstreamSettings,
): McpError {
  const scope = new ScopeSet([...parseScope(caller.scope), ...parseScope(needed)]);
  const error = new OAuthError('insufficient_scope', 'the access token lacks a scope that this call needs');
  challenge(response, upstream, scope.toString(), error);
  return refused(403, error.description, error);
}

function challenge(
  response: ServerResponse,
  { resourceMetadata, config }: UpstreamSettings,
  scope: string,
  error?: OAuthError,
): void {
  const isDpop = config.requireDpop || /^dpop /i.test(response.req.headers.authorization ?? '');
  const build = isDpop ? dpopChallenge : bearerChallenge;
  response.setHeader('WWW-Authenticate', build({ resourceMetadata, scope, error }));
}

function refused(status: number, message: string, error?: OAuthError): McpError {
  const code = status === 403 ? behalfErrorCodes.denied : behalfErrorCodes.unauthorized;
  return new McpError(code, message, { status, data: error?.toJSON(), cause: error });
}
