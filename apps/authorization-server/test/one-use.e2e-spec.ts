import { z } from 'zod';
import { basic, TestServer } from './test-server.js';

const gateway = basic('gateway', 'gateway-secret');

describe('codes and refresh tokens', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start({
      server: { lifetimes: { refreshGraceSeconds: 10 } },
    });
  });
  afterEach(() => server.close());

  const isActive = async (token: string): Promise<unknown> =>
    (await server.introspect(token, gateway))['active'];

  it('OAuth 2.1 §4.1.3: a code used twice kills the tokens of the first use', async () => {
    const code = (await server.authorize()).get('code');
    const first = await server.redeem(code);
    expect(await isActive(first.body.access_token)).toBe(true);

    expect((await server.redeem(code)).body.error).toBe('invalid_grant');
    expect(await isActive(first.body.access_token)).toBe(false);
    expect(await server.outbox()).toContainEqual(
      expect.objectContaining({
        type: 'behalf.revocation.created',
        data: expect.objectContaining({ kind: 'grant' }),
      }),
    );
  });

  it('OAuth 2.1 §4.1.3: of twenty redemptions at once one wins, and its token dies', async () => {
    const code = (await server.authorize({ scope: 'mcp:tools' })).get('code');
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.redeem(code)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const { status, body } of answers) if (status !== 200) expect(body.error).toBe('invalid_grant');
    expect(await isActive(winners[0]?.body.access_token ?? '')).toBe(false);
    const refreshed = await server.refresh(winners[0]?.body.refresh_token ?? '');
    expect(refreshed.body.error).toBe('invalid_grant');
  });

  it('mcp.md 35: a refresh rotates the refresh token and keeps person, scope and audience', async () => {
    const first = await server.signIn();
    const { status, body } = await server.refresh(first.refresh_token);
    expect(status).toBe(200);
    expect(body.refresh_token).not.toBe(first.refresh_token);
    const [before, after] = [await server.claims(first.access_token), await server.claims(body.access_token)];
    for (const claim of ['sub', 'aud', 'scope', 'grant_id', 'auth_time', 'sid', 'groups']) {
      expect(after[claim]).toEqual(before[claim]);
    }
    expect(after['txn']).not.toBe(before['txn']);
  });

  it('RFC 9700 §4.14: a rotated refresh token used after its grace kills the family', async () => {
    const first = await server.signIn();
    const second = await server.refresh(first.refresh_token);
    server.clock.advanceSeconds(11);

    expect((await server.refresh(first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await server.refresh(second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await isActive(second.body.access_token)).toBe(false);
  });

  it('clients.md 13: parallel refreshes of one client succeed within the grace, a bounded number of times', async () => {
    const { refresh_token: token } = await server.signIn();
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.refresh(token)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);

    const more = await Promise.all(Array.from({ length: 10 }, () => server.refresh(token)));
    expect(more.some(({ status }) => status === 400)).toBe(true);
  });

  it('clients.md 13: a refresh token under another client id is refused, and stays good', async () => {
    const { refresh_token: token } = await server.signIn();
    const { body: other } = await server.register({
      redirect_uris: ['http://localhost/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    });
    const stolen = await server.token(
      { grant_type: 'refresh_token', refresh_token: token, client_id: String(other['client_id']) },
      null,
    );
    expect(stolen.body.error).toBe('invalid_grant');
    expect((await server.refresh(token)).status).toBe(200);
  });

  it('a refresh never looks like progress: scopes that were not granted are refused', async () => {
    const { refresh_token: token } = await server.signIn({ scope: 'mcp:tools' });
    const { body } = await server.refresh(token, { scope: 'mcp:tools files:write' });
    expect(body.error).toBe('invalid_scope');
  });

  it('stores neither codes nor refresh tokens, only their digests', async () => {
    const code = (await server.authorize()).get('code') ?? '';
    const { body } = await server.redeem(code);
    for (const kind of ['oidc-authorization-code', 'oidc-refresh-token', 'oidc-session']) {
      const found = JSON.stringify(await server.records.list({ name: kind, schema: z.unknown() }));
      for (const secret of [code, body.refresh_token]) expect(found).not.toContain(secret);
    }
  });
});

describe('without a grace', () => {
  it('a rotated refresh token kills the family at once', async () => {
    const server = await TestServer.start({ server: { lifetimes: { refreshGraceSeconds: 0 } } });
    const first = await server.signIn();
    const second = await server.refresh(first.refresh_token);
    expect((await server.refresh(first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await server.refresh(second.body.refresh_token)).body.error).toBe('invalid_grant');
    await server.close();
  });
});

describe('a client that refreshes in a hot loop', () => {
  it('clients.md 12: is told to wait, and keeps its refresh token', async () => {
    const server = await TestServer.start();
    let { refresh_token: token } = await server.signIn();
    for (let count = 0; count < 60; count++) token = (await server.refresh(token)).body.refresh_token;
    const refused = await server.refresh(token);
    expect(refused.status).toBe(429);
    expect(refused.body.error).toBe('temporarily_unavailable');
    await server.passSeconds(61);
    expect((await server.refresh(token)).status).toBe(200);
    await server.close();
  });
});
