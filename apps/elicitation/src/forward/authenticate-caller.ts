import { actsForItself, OAuthError, parseScope } from '@behalf/oauth';
import {
  type AccessTokenClaims,
  bearerChallenge,
  dpopChallenge,
  readPresentedToken,
} from '@behalf/resource-server';
import type { Request, Response } from 'express';
import type { ForwardSettings, TokenChecks } from './forward-settings.js';

/** The resource that is called, as the caller knows it. */
export interface CalledResource {
  resource: string;
  metadataUrl: string;
  /** Without the query. */
  url: string;
}

export function calledResource(
  { publicUrl, resourceOf, metadataOf }: ForwardSettings,
  provider: string,
  { originalUrl }: Pick<Request, 'originalUrl'>,
): CalledResource {
  return {
    resource: resourceOf(provider),
    metadataUrl: metadataOf(provider),
    url: `${publicUrl}${originalUrl.split('?', 1)[0]}`,
  };
}

/**
 * The caller, by an access token that was issued for calling this provider's API here. A token that is about no person
 * is refused: there is nobody whose account could be meant.
 *
 * @throws OAuthError as `verifyCaller`; `access_denied`
 */
export async function authenticateCaller(
  request: Request,
  response: Response,
  called: CalledResource,
  checks: TokenChecks,
): Promise<AccessTokenClaims> {
  const claims = await verifyCaller(request, response, called, checks);
  if (actsForItself(claims)) throw new OAuthError('access_denied', 'the access token is about no person');
  return claims;
}

/**
 * Whoever presents an access token for this resource that is theirs to present.
 *
 * @throws OAuthError `invalid_request`, `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`, `temporarily_unavailable`;
 *   what the client has to do is on the response then
 */
export async function verifyCaller(
  request: Request,
  response: Response,
  called: CalledResource,
  { verifier, constraints, certificates }: TokenChecks,
): Promise<AccessTokenClaims> {
  try {
    if ((request.headersDistinct.authorization?.length ?? 0) > 1)
      throw new OAuthError('invalid_request', 'there is more than one Authorization header');
    const query = new URL(request.originalUrl, called.resource).searchParams;
    const presented = readPresentedToken(request.headers.authorization, query);
    if (presented === undefined) throw new OAuthError('invalid_token', 'an access token is needed');
    if (presented.scheme === 'DPoP') response.set('DPoP-Nonce', constraints.nonce);
    const presentation = {
      ...presented,
      proofs: request.headersDistinct['dpop'] ?? [],
      method: request.method,
      url: called.url,
      certificateThumbprint: certificates.thumbprint(request),
    };
    return await verifier.verifyPresented(presentation, called.resource, constraints);
  } catch (error) {
    challenge(response, called, undefined, error);
    throw error;
  }
}

/** @throws OAuthError `insufficient_scope`; the challenge names all that is needed, held or not */
export function checkScope(
  claims: AccessTokenClaims,
  needed: readonly string[],
  response: Response,
  called: CalledResource,
): void {
  const held = parseScope(claims.scope);
  if (needed.every((scope) => held.has(scope))) return;
  const error = new OAuthError('insufficient_scope', 'the access token lacks a scope that this call needs');
  challenge(response, called, needed.join(' '), error);
  throw error;
}

function challenge(
  response: Response,
  { metadataUrl: resourceMetadata }: CalledResource,
  scope: string | undefined,
  error: unknown,
): void {
  if (!(error instanceof OAuthError) || ![400, 401, 403].includes(error.status)) return;
  const { authorization } = response.req.headers;
  const build = /^dpop /i.test(authorization ?? '') ? dpopChallenge : bearerChallenge;
  const told = authorization === undefined ? undefined : error;
  response.set('WWW-Authenticate', build({ resourceMetadata, scope, error: told }));
}
