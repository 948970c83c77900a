import { OAuthError, tokenTypes } from '@behalf/oauth';
import type { Cache } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import {
  type ExchangeDependencies,
  type ExchangeParameters,
  type ExchangeRequest,
  exchangeToken,
  type RequestingClient,
  type TokenClaims,
} from '@behalf/token-exchange';
import { ExchangeCache } from './exchange-cache.js';

export const start = 1_800_000_000;
export const upstream = 'https://files.example/mcp';
export const gateway: RequestingClient = {
  clientId: 'gateway',
  isConfidential: true,
  ceiling: { audiences: ['https://*'], scopes: ['mcp:tools', 'files:write'] },
};

/** Exchanges on a fake clock, with a cache and with all that a kept token can depend on in the hands of the test. */
export function exchangeSystem(shared?: Cache<string>) {
  const clock = new FakeClock(start * 1000);
  const state = {
    minted: 0,
    verified: 0,
    policy: 'v1' as string | undefined,
    permitted: true,
    revoked: new Set<string>(),
    records: [] as object[],
    gate: undefined as Promise<void> | undefined,
    grant: undefined as string | undefined,
    subject: {} as Partial<TokenClaims>,
  };
  const cache = new ExchangeCache({ maxEntries: 100, shared });
  const dependencies: ExchangeDependencies = {
    issuer: 'https://as.example',
    maxLifetimeSeconds: 300,
    verifyAccessToken: async (token) => {
      state.verified += 1;
      await state.gate;
      const claims: TokenClaims = {
        iss: 'https://as.example',
        sub: token === 'actor' ? 'gateway' : 'alice',
        aud: 'https://gw.example',
        client_id: token === 'actor' ? 'gateway' : 'editor',
        exp: start + 900,
        jti: `jti of ${token}`,
        scope: 'mcp:tools files:write',
        sid: 'session',
        ...(token === 'actor' ? {} : state.subject),
      };
      if (state.revoked.has(claims.jti)) throw new OAuthError('invalid_token', 'revoked');
      return claims;
    },
    findTarget: (resource) => ({
      resource,
      scopes: ['mcp:tools', 'files:write'],
      servedBy: ['gateway', 'other'],
      delegation: state.grant === undefined ? 'policy' : 'grant',
    }),
    findDelegationGrant: async () =>
      state.grant === undefined || state.grant === 'none'
        ? undefined
        : { id: state.grant, scopes: ['mcp:tools'], authorizationDetails: [], expiresAtSeconds: start + 900 },
    decide: async () => ({
      decision: state.permitted,
      context: { id: 'd', ...(state.policy !== undefined && { policy_version: state.policy }) },
    }),
    signer: {
      sign: async (claims) => {
        state.minted += 1;
        return `token ${state.minted} of ${JSON.stringify(claims['cnf'] ?? null)}`;
      },
    },
    checkNotRevoked: async (tokens) => {
      if (tokens.some(({ jti, sid }) => state.revoked.has(jti) || state.revoked.has(sid ?? '')))
        throw new OAuthError('invalid_token', 'revoked');
    },
    cache,
    audit: { append: async (record) => void state.records.push(record) },
    newId: () => `id-${state.minted}`,
  };
  const exchange = (changes: ExchangeParameters = {}, request: Partial<ExchangeRequest> = {}) =>
    exchangeToken(
      {
        client: gateway,
        parameters: {
          subject_token: 'subject',
          subject_token_type: tokenTypes.accessToken,
          resource: upstream,
          ...changes,
        },
        nowSeconds: Math.floor(clock.nowMs() / 1000),
        ...request,
      },
      dependencies,
    );
  return { clock, state, cache, dependencies, exchange };
}
