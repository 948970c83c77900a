import type { ServerResponse } from 'node:http';
import { markAsExplaining } from '@behalf/adapter-oidc-provider';
import type { AuthorizationServerConfig } from '@behalf/config';
import type { RateLimiter } from '@behalf/ports';
import { nameRoute } from '@behalf/service-kit';
import type { RequestHandler } from 'express';
import { ratePurposes } from '../rate-limits.js';
import type { ProviderHolder } from '../provider-holder.js';

const wellKnown = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

/** Endpoints that programs in browsers call. None of them looks at cookies, so any origin may. */
function corsPaths({ paths }: AuthorizationServerConfig): Set<string> {
  return new Set([
    ...wellKnown,
    paths.jwks,
    paths.registration,
    paths.pushedAuthorizationRequest,
    paths.token,
    paths.revocation,
    paths.userinfo,
  ]);
}

/**
 * Hands the protocol's endpoints to oidc-provider and lets everything else through. Paths are those of the issuer: an
 * issuer with a path has its metadata at both places, with the path inserted (RFC 8414 §3.1) and appended.
 */
export function routeToProvider(
  config: AuthorizationServerConfig,
  holder: ProviderHolder,
  rates: RateLimiter,
): RequestHandler {
  const { paths } = config;
  const registrations = { attempts: config.registration.perMinute, windowSeconds: 60 };
  const issuerPath = issuerPathOf(config);
  const exact = new Set([
    ...wellKnown,
    paths.authorization,
    paths.pushedAuthorizationRequest,
    paths.token,
    paths.jwks,
    paths.registration,
    paths.introspection,
    paths.revocation,
    paths.userinfo,
    paths.endSession,
    `${paths.endSession}/confirm`,
    `${paths.endSession}/success`,
  ]);
  const cors = corsPaths(config);

  return async (request, response, next) => {
    request.url = relativeToIssuer(request.url, issuerPath);
    // Not a URL parser: to one, `//` begins with a host and is no path of ours.
    const pathname = request.url.split(/[?#]/, 1)[0] ?? '/';

    const isResume = pathname.startsWith(`${paths.authorization}/`);
    if (isResume) nameRoute(request, `${paths.authorization}/:uid`);
    else if (exact.has(pathname) || pathname === paths.explain) nameRoute(request, pathname);

    if (cors.has(pathname)) {
      setHeaders(response, anyOrigin);
      if (request.method === 'OPTIONS') {
        response
          .status(204)
          .set({
            'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
            'Access-Control-Allow-Headers': 'Authorization, Content-Type, Accept, MCP-Protocol-Version, DPoP',
            'Access-Control-Max-Age': '3600',
          })
          .end();
        return;
      }
    }
    if (pathname === paths.registration && request.method === 'POST') {
      const waitSeconds = await rates
        .tryAttempt(ratePurposes.registration, '', registrations)
        // What cannot be counted is too many.
        .catch(() => 1);
      if (waitSeconds !== undefined) {
        response
          .status(429)
          .set({ 'Retry-After': String(waitSeconds), 'Cache-Control': 'no-store' })
          .json({ error: 'temporarily_unavailable', error_description: 'too many registrations' });
        return;
      }
    }
    if (pathname === paths.explain && request.method === 'POST') {
      // An administrator comes with a token, a client authenticates as at the token endpoint.
      if (/^(?:bearer|dpop) /i.test(request.headers.authorization ?? '')) {
        request.url = `${paths.admin}/exchange/explain`;
        return next();
      }
      markAsExplaining(request);
      request.url = paths.token;
    }
    if (!exact.has(request.url.split(/[?#]/, 1)[0] ?? '/') && !isResume) return next();
    setHeaders(response, unframed);
    // oidc-provider builds its URLs from the issuer; what it was mounted under must not be added once more.
    request.originalUrl = request.url;
    await holder.handle(request, response);
  };
}

/** What stands in front of every path of ours. */
export function issuerPathOf({ issuer }: AuthorizationServerConfig): string {
  return new URL(issuer).pathname.replace(/\/$/, '');
}

export const anyOrigin = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After, DPoP-Nonce',
};

/** Our pages say so themselves; the library has pages of its own, such as the one that posts a code to the client. */
export const unframed = { 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' };

export function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function relativeToIssuer(url: string, issuerPath: string): string {
  if (issuerPath === '') return url;
  const inserted = [...wellKnown, '/.well-known/ssf-configuration'].find(
    (path) => url === `${path}${issuerPath}` || url.startsWith(`${path}${issuerPath}?`),
  );
  if (inserted) return inserted;
  const rest = url.startsWith(issuerPath) ? url.slice(issuerPath.length) : undefined;
  return rest !== undefined && /^[/?]/.test(rest) ? rest.replace(/^\?/, '/?') : url;
}
