import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeProviderOptions {
  /** `rotating`: a refresh token is used once, and using it again after the grace ends the whole grant. */
  refreshTokens: 'rotating' | 'lasting';
  /** For how long a used refresh token is still answered, with tokens of its own. */
  graceMs?: number;
  accessTokenSeconds?: number;
  nowMs?: () => number;
}

/** What happens to an answer after the provider has acted: `drop` closes the connection instead. */
export type AnswerFate = 'send' | 'drop' | { status: number; body: unknown };

interface Grant {
  readonly id: string;
  isRevoked: boolean;
  readonly liveAccessTokens: Set<string>;
}

interface RefreshToken {
  readonly grant: Grant;
  usedAtMs: number | undefined;
}

/** A third party's authorization server that does what the worst of them do, for tests of who depends on it. */
export interface FakeProvider {
  readonly issuer: string;
  /** A new grant, as after a person's consent. */
  grant(): { accessToken: string; refreshToken: string; grantId: string };
  /** A code for an authorization request that came to `/authorize`. */
  issueCode(challenge: string): string;
  isLive(accessToken: string): boolean;
  isGrantRevoked(grantId: string): boolean;
  revokeGrant(grantId: string): void;
  /** How often a refresh token was presented. */
  readonly refreshes: () => number;
  /** Every form that came to the token endpoint. */
  readonly forms: URLSearchParams[];
  /** Called after each refresh was acted on; decides what becomes of the answer, and may take its time. */
  answerFate: (nth: number) => Promise<AnswerFate> | AnswerFate;
  /** More or other members of the metadata document. */
  metadata: Record<string, unknown>;
  close(): Promise<void>;
}

export async function startFakeProvider(options: FakeProviderOptions): Promise<FakeProvider> {
  const { graceMs = 0, accessTokenSeconds = 3600, nowMs = Date.now } = options;
  const grants = new Map<string, Grant>();
  const refreshTokens = new Map<string, RefreshToken>();
  const codes = new Map<string, string>();
  const forms: URLSearchParams[] = [];
  let refreshes = 0;

  const tokensFor = (grant: Grant, refreshToken: string) => {
    const accessToken = `at-${randomBytes(16).toString('hex')}`;
    grant.liveAccessTokens.add(accessToken);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: accessTokenSeconds,
      refresh_token: refreshToken,
      scope: 'read write',
    };
  };
  const newRefreshToken = (grant: Grant): string => {
    const token = `rt-${randomBytes(16).toString('hex')}`;
    refreshTokens.set(token, { grant, usedAtMs: undefined });
    return token;
  };
  const newGrant = (): Grant => {
    const grant: Grant = {
      id: randomBytes(8).toString('hex'),
      isRevoked: false,
      liveAccessTokens: new Set(),
    };
    grants.set(grant.id, grant);
    return grant;
  };

  const refresh = (token: string): { status: number; body: unknown } => {
    const found = refreshTokens.get(token);
    if (!found || found.grant.isRevoked) return { status: 400, body: { error: 'invalid_grant' } };
    if (options.refreshTokens === 'lasting') return { status: 200, body: tokensFor(found.grant, token) };
    if (found.usedAtMs !== undefined && nowMs() - found.usedAtMs > graceMs) {
      found.grant.isRevoked = true;
      return { status: 400, body: { error: 'invalid_grant' } };
    }
    found.usedAtMs ??= nowMs();
    return { status: 200, body: tokensFor(found.grant, newRefreshToken(found.grant)) };
  };
  const redeem = (form: URLSearchParams): { status: number; body: unknown } => {
    const code = form.get('code') ?? '';
    const challenge = codes.get(code);
    codes.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (challenge === undefined || challenge !== verifier)
      return { status: 400, body: { error: 'invalid_grant' } };
    const grant = newGrant();
    return { status: 200, body: tokensFor(grant, newRefreshToken(grant)) };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/.well-known/oauth-authorization-server') return send(200, provider.metadata);
    if (request.method !== 'POST') return send(404, {});
    const form = new URLSearchParams(await text(request));
    if (request.url === '/revoke') {
      const token = form.get('token') ?? '';
      const owner =
        refreshTokens.get(token)?.grant ?? [...grants.values()].find((g) => g.liveAccessTokens.has(token));
      if (owner) owner.isRevoked = true;
      return send(200, {});
    }
    if (request.url !== '/token') return send(404, {});
    forms.push(form);
    if (form.get('grant_type') === 'authorization_code') {
      const { status, body } = redeem(form);
      return send(status, body);
    }
    const { status, body } = refresh(form.get('refresh_token') ?? '');
    const fate = await provider.answerFate(++refreshes);
    if (fate === 'drop') return void request.socket.destroy();
    if (fate === 'send') return send(status, body);
    return send(fate.status, fate.body);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: FakeProvider = {
    issuer,
    grant() {
      const grant = newGrant();
      const { access_token, refresh_token } = tokensFor(grant, newRefreshToken(grant));
      return { accessToken: access_token, refreshToken: refresh_token, grantId: grant.id };
    },
    issueCode(challenge) {
      const code = randomBytes(16).toString('hex');
      codes.set(code, challenge);
      return code;
    },
    isLive: (token) =>
      [...grants.values()].some((grant) => !grant.isRevoked && grant.liveAccessTokens.has(token)),
    isGrantRevoked: (id) => grants.get(id)?.isRevoked ?? false,
    revokeGrant(id) {
      const grant = grants.get(id);
      if (grant) grant.isRevoked = true;
    },
    refreshes: () => refreshes,
    forms,
    answerFate: () => 'send',
    metadata: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      code_challenge_methods_supported: ['S256'],
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
