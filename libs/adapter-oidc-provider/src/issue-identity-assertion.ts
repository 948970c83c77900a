import { randomUUID } from 'node:crypto';
import type { AuditLog } from '@behalf/audit';
import {
  type AssertedSubject,
  explainIdJag,
  type IssueDependencies,
  issueIdJag,
  type IssueRequest,
  type IssueResponse,
} from '@behalf/id-jag';
import { type Confirmation, OAuthError, tokenTypes } from '@behalf/oauth';
import type { ExchangeExplanation } from '@behalf/token-exchange';
import type { Provider } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { personRecords } from './person.js';
import { readOwnIdToken } from './read-own-jwt.js';

/**
 * Answers a token exchange that asks for an ID-JAG. What it asserts is decided in `@behalf/id-jag`.
 *
 * @see MCP Enterprise-Managed Authorization §4
 */
export function issueIdentityAssertion(
  provider: Provider,
  request: IssueRequest,
  deps: ProviderDependencies,
  append: AuditLog['append'],
): Promise<IssueResponse> {
  return issueIdJag(request, issueDependencies(provider, request, deps, append));
}

/** Says what it would come to. */
export function explainIdentityAssertion(
  provider: Provider,
  request: IssueRequest,
  deps: ProviderDependencies,
  append: AuditLog['append'],
): Promise<ExchangeExplanation> {
  return explainIdJag(request, issueDependencies(provider, request, deps, append));
}

function issueDependencies(
  provider: Provider,
  { proof }: IssueRequest,
  deps: ProviderDependencies,
  append: AuditLog['append'],
): IssueDependencies {
  const { issuer, idJag } = deps.config.authorizationServer;
  return {
    issuer,
    lifetimeSeconds: idJag.lifetimeSeconds,
    servers: idJag.authorizationServers,
    verifySubject: (token, type, clientId) =>
      type === tokenTypes.idToken
        ? fromIdToken(token, clientId, deps)
        : fromRefreshToken(provider, token, { clientId, proof }, deps),
    decide: deps.exchange.decide,
    signer: deps.exchange.signer,
    audit: { append },
    newId: randomUUID,
  };
}

/** An ID token that was issued to this client: anybody else's is none of its business. */
async function fromIdToken(
  token: string,
  clientId: string,
  deps: ProviderDependencies,
): Promise<AssertedSubject> {
  const claims = await readOwnIdToken(token, { ...deps, issuer: deps.config.authorizationServer.issuer });
  if (claims.aud !== clientId) throw invalid('the ID token is for another client');
  const { acr, amr } = claims as { acr?: unknown; amr?: unknown };
  return {
    ...(await subjectOf(claims.sub, deps)),
    auth_time: claims.auth_time,
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && { amr: amr.map(String) }),
    exp: claims.exp,
  };
}

/** A refresh token by the rules of its own grant, except that it is not used up. */
async function fromRefreshToken(
  provider: Provider,
  token: string,
  { clientId, proof }: { clientId: string; proof: Confirmation | undefined },
  deps: ProviderDependencies,
): Promise<AssertedSubject> {
  const found = await provider.RefreshToken.find(token);
  if (!found || found.clientId !== clientId || !found.isValid)
    throw invalid('the refresh token is not one of this client');
  const { jkt, 'x5t#S256': thumbprint, grantId, accountId, authTime, exp } = found;
  if (jkt !== undefined && jkt !== proof?.jkt) throw invalid('the refresh token is bound to another key');
  if (thumbprint !== undefined && thumbprint !== proof?.['x5t#S256'])
    throw invalid('the refresh token is bound to another certificate');
  const grant = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  if (grant?.clientId !== clientId || grant.accountId !== accountId || accountId === undefined)
    throw invalid('the grant of the refresh token has ended');
  return { ...(await subjectOf(accountId, deps)), auth_time: authTime, exp: exp ?? 0 };
}

async function subjectOf(sub: string, { records }: ProviderDependencies) {
  const person = await records.get(personRecords, sub);
  if (!person) throw invalid('the person is not known any more');
  return { sub, groups: person.value.groups };
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_token', description);
}
