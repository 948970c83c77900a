import { jest } from '@jest/globals';
import { OAuthError } from '@behalf/oauth';
import { decodeProtectedHeader } from 'jose';
import { files, redirectUri, TestServer } from './test-server.js';

describe('authorization code', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ replicas: 1 });
  });
  afterAll(() => server.close());

  it('RFC 9068: a person who consents gives the client an at+jwt for one resource', async () => {
    const response = await server.authorize({ scope: 'mcp:tools' });
    expect(response.get('state')).toBe('the-state');
    expect(response.get('iss')).toBe(server.issuer);

    const { status, body } = await server.redeem(response.get('code'));
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'mcp:tools' });
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    const claims = await server.claims(body.access_token);
    expect(claims).toMatchObject({
      iss: server.issuer,
      sub: 'alice',
      aud: files,
      client_id: 'web-app',
      scope: 'mcp:tools',
      groups: ['eng'],
      txn: claims.jti,
      auth_time: expect.any(Number),
      grant_id: expect.any(String),
      sid: expect.any(String),
    });
  });

  it('records what was issued, without what opens anything', async () => {
    const code = (await server.authorize({ scope: 'mcp:tools offline_access', prompt: 'consent' })).get(
      'code',
    );
    const { body: first } = await server.redeem(code);
    const { body: second } = await server.token({
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token,
      resource: files,
    });
    const { grant_id } = await server.claims(second.access_token);
    const about = { audience: files, scope: 'mcp:tools', grant_id };
    const record = { type: 'token', outcome: 'allowed', client: 'web-app', person: 'alice' };
    expect(server.audit.filter(({ type }) => type === 'token').slice(-2)).toMatchObject([
      { ...record, details: { grant_type: 'authorization_code', ...about } },
      { ...record, details: { grant_type: 'refresh_token', ...about } },
    ]);
    const kept = JSON.stringify(server.audit);
    for (const secret of [code, first.access_token, first.refresh_token, second.access_token])
      expect(kept).not.toContain(secret);
  });

  it('a store that is away: says when to come back, and the code is still good then', async () => {
    const code = (await server.authorize({ scope: 'mcp:tools' })).get('code');
    const away = new OAuthError('temporarily_unavailable', 'the store is away', { retryAfterSeconds: 2 });
    const reading = jest.spyOn(server.records, 'get').mockRejectedValue(away);
    const { status, headers, body } = await server.redeem(code).finally(() => reading.mockRestore());
    expect([status, headers.get('retry-after'), body.error]).toEqual([503, '2', 'temporarily_unavailable']);
    expect((await server.redeem(code)).status).toBe(200);
  });

  it('an audit log that is away: issues nothing, for a code or by refreshing', async () => {
    const { refresh_token: token } = await server.signIn();
    const code = (await server.authorize({ scope: 'mcp:tools' })).get('code');
    const recorded = server.audit.length;
    const away = jest.spyOn(server.audit, 'push').mockImplementation(() => {
      throw new Error('the disk is full');
    });
    const answers = [await server.redeem(code), await server.refresh(token)];
    away.mockRestore();
    for (const { status, headers, body } of answers) {
      expect([status, headers.get('retry-after'), body.error]).toEqual([503, '2', 'temporarily_unavailable']);
      expect(JSON.stringify(body)).not.toContain('ey');
    }
    expect(server.audit).toHaveLength(recorded);
  });

  it('clients.md 9: does not ask for a state', async () => {
    const response = await server.authorize({ state: undefined });
    expect(response.has('state')).toBe(false);
    expect(response.get('code')).not.toBeNull();
  });

  it.each([
    ['missing', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
  ])('OAuth 2.1 §4.1.1: refuses a code challenge that is %s', async (_case, parameters) => {
    const response = await server.authorize(parameters);
    expect(response.get('error')).toBe('invalid_request');
    expect(response.get('iss')).toBe(server.issuer);
  });

  it('OAuth 2.1 §4.1.3: refuses a wrong code verifier', async () => {
    const code = (await server.authorize()).get('code');
    const { body } = await server.redeem(code, { code_verifier: 'x'.repeat(43) });
    expect(body.error).toBe('invalid_grant');
  });

  it.each([
    'https://evil.example.com/callback',
    `${redirectUri}/more`,
    `${redirectUri}?more`,
    'javascript:alert(1)',
  ])('RFC 9700 §4.1: shows a page and goes nowhere for the redirect URI %s', async (uri) => {
    const page = await server.browser.open(server.authorizationUrl({ redirect_uri: uri }));
    expect(page.status).toBe(400);
    expect(page.url.origin).toBe(server.issuer);
    expect(page.html).toContain('invalid_redirect_uri');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('RFC 9207: iss in error responses, here after the person said no', async () => {
    const response = await server.authorize({ prompt: 'consent' }, { deny: true });
    expect(response.get('error')).toBe('access_denied');
    expect(response.get('iss')).toBe(server.issuer);
    expect(response.get('state')).toBe('the-state');
  });
});
