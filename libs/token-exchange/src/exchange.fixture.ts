import type { AuditRecord } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { type Confirmation, OAuthError, grantTypes, tokenTypes } from '@behalf/oauth';
import { exchangeToken } from './exchange-token.js';
import type {
  ExchangeCeiling,
  ExchangeDependencies,
  ExchangeParameters,
  RequestingClient,
  TokenClaims,
  TransactionTokenClaims,
} from './ports.js';

export const issuer = 'https://as.example';
export const gatewayResource = 'https://gw.example/mcp/files';
export const upstreamResource = 'https://files.example/mcp';
export const trustDomain = 'trust.example';
export const now = 1_800_000_000;

/** A person's token for the gateway, as the person's MCP client got it. */
export function subjectClaims(changes: Partial<TokenClaims> = {}): TokenClaims {
  return {
    iss: issuer,
    sub: 'alice',
    aud: gatewayResource,
    client_id: 'editor',
    exp: now + 900,
    jti: 'root-jti',
    scope: 'mcp:tools files:write',
    groups: ['eng'],
    sid: 'session-1',
    grant_id: 'grant-1',
    txn: 'txn-1',
    ...changes,
  };
}

export const gatewayClient: RequestingClient = {
  clientId: 'gateway',
  isConfidential: true,
  ceiling: { audiences: [upstreamResource], scopes: ['mcp:tools', 'files:write', 'mail:send'] },
};

/** The gateway with other limits. */
export function clientWith(ceiling: Partial<ExchangeCeiling>): RequestingClient {
  return { ...gatewayClient, ceiling: { ...gatewayClient.ceiling!, ...ceiling } };
}

export const parameters: ExchangeParameters = {
  grant_type: grantTypes.tokenExchange,
  subject_token: 'subject',
  subject_token_type: tokenTypes.accessToken,
  resource: upstreamResource,
};

/** An exchange against fakes: tokens are looked up by name, signing is JSON, everything asked and recorded is kept. */
export function exchangeFixture(tokens: Record<string, TokenClaims> = { subject: subjectClaims() }) {
  const asked: Evaluation[] = [];
  const recorded: AuditRecord[] = [];
  let ids = 0;
  const dependencies: ExchangeDependencies = {
    issuer,
    maxLifetimeSeconds: 300,
    verifyAccessToken: async (token) => {
      const claims = tokens[token];
      if (!claims) throw new OAuthError('invalid_token', 'unknown');
      return claims;
    },
    findTarget: (identifier) =>
      [
        { resource: gatewayResource, scopes: ['mcp:tools', 'files:write'], servedBy: ['gateway'] },
        { resource: upstreamResource, scopes: ['mcp:tools', 'files:write'], servedBy: ['files-server'] },
      ].find((target) => target.resource === identifier),
    decide: async (evaluation): Promise<EvaluationDecision> => {
      asked.push(evaluation);
      return { decision: true, context: { id: 'decision-1' } };
    },
    signer: { sign: async (claims, options) => JSON.stringify({ ...claims, typ: options.typ }) },
    audit: { append: async (record) => void recorded.push(record) },
    transactionTokens: {
      trustDomain,
      maxLifetimeSeconds: 30,
      maxReplacements: 2,
      verify: async (token) => {
        const claims = tokens[token] as TransactionTokenClaims | undefined;
        if (!claims) throw new OAuthError('invalid_token', 'unknown');
        return claims;
      },
    },
    newId: () => `id-${(ids += 1)}`,
  };
  return {
    asked,
    recorded,
    dependencies,
    exchange: (
      changes: ExchangeParameters = {},
      client: RequestingClient = gatewayClient,
      proof?: Confirmation,
    ) =>
      exchangeToken(
        { client, parameters: { ...parameters, ...changes }, proof, nowSeconds: now },
        dependencies,
      ),
    /** Runs an exchange and reads the token that came out. */
    async issued(
      changes: ExchangeParameters = {},
      client: RequestingClient = gatewayClient,
      proof?: Confirmation,
    ) {
      const { access_token: token } = await this.exchange(changes, client, proof);
      return JSON.parse(token) as TokenClaims & { typ: string; iat: number };
    },
  };
}
