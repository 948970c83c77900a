import { evaluatePolicy } from '@behalf/contracts';
import { ExternalProvider } from './external-provider.js';
import { tokenExchange, upstream } from './test-agents.js';
import { basic, TestServer } from './test-server.js';

const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const ours = 'https://gw.example/mcp';

describe('the people of another issuer, which is a server of its own', () => {
  let external: ExternalProvider;
  let server: TestServer;
  let condition: string | undefined;
  const asked: unknown[] = [];

  async function startServer(): Promise<void> {
    asked.length = 0;
    // Each replica knows the keys that it has fetched itself.
    server = await TestServer.start({
      replicas: 1,
      fetch,
      server: {
        resources: [{ resource: upstream, name: 'Upstream', scopes: ['mcp:tools', 'files:write'] }],
        trustedIssuers: [
          {
            issuer: external.issuer,
            algorithms: ['ES256'],
            people: {
              clients: ['gateway'],
              accessTokens: { audiences: [ours], scopes: ['mcp:tools'] },
              idTokens: { audiences: ['their-app'], scopes: ['mcp:tools'] },
              ...(condition !== undefined && { condition }),
            },
          },
        ],
        clients: ['gateway', 'other'].map((clientId) => ({
          clientId,
          demoSecret: `${clientId}-secret`,
          grantTypes: [tokenExchange],
          exchange: { audiences: ['https://*'], scopes: ['mcp:tools', 'files:write'] },
        })),
      },
    });
    server.bus.handle(evaluatePolicy, async (evaluation) => {
      asked.push(evaluation.subject);
      return { decision: true };
    });
    await server.bus.announced();
  }
  beforeAll(async () => {
    external = await ExternalProvider.start(ours);
  });
  beforeEach(async () => {
    condition = undefined;
    await startServer();
  });
  afterEach(() => server.close());
  afterAll(() => external.goDown());

  async function exchange(subject: string, as = 'jwt', client = 'gateway'): Promise<string> {
    const { status, body } = await server.token(
      { grant_type: tokenExchange, subject_token: subject, subject_token_type: type(as), resource: upstream },
      basic(client, `${client}-secret`),
    );
    return status === 200 ? body.access_token : String(body.error);
  }

  it('are acted for under names of their issuer, with what its tokens are worth here', async () => {
    const { accessToken, idToken } = await external.tokens('alice');
    for (const [token, as] of [
      [accessToken, 'jwt'],
      [accessToken, 'access_token'],
      [idToken, 'id_token'],
    ] as const) {
      const claims = await server.claims(await exchange(token, as));
      expect(claims).toMatchObject({
        iss: server.issuer,
        sub: `${external.issuer}#alice`,
        act: { sub: 'gateway' },
        scope: 'mcp:tools',
      });
    }
    expect(asked).toMatchObject([{ id: `${external.issuer}#alice`, properties: { groups: [] } }, {}, {}]);
  });

  it('are presented by the clients that may, as what the tokens are, and by nobody else', async () => {
    const { accessToken, idToken } = await external.tokens('alice');
    expect(await exchange(accessToken, 'jwt', 'other')).toBe('invalid_request');
    expect(await exchange(idToken, 'access_token')).toBe('invalid_request');
    expect(await exchange(accessToken, 'id_token')).toBe('invalid_request');
  });

  it('keep being acted for while their issuer rotates its keys, goes down and comes back', async () => {
    const before = await external.tokens('alice');
    expect(await server.claims(await exchange(before.accessToken))).toMatchObject({ act: {} });

    await external.rotate();
    server.clock.advanceSeconds(11);
    const after = await external.tokens('alice');
    expect(await server.claims(await exchange(after.accessToken))).toMatchObject({ act: {} });
    // The key that signed it is no longer published.
    expect(await exchange(before.accessToken)).toBe('invalid_request');

    await external.goDown();
    server.clock.advanceSeconds(700);
    const { body } = await server.token(
      {
        grant_type: tokenExchange,
        subject_token: after.accessToken,
        subject_token_type: type('jwt'),
        resource: upstream,
      },
      basic('gateway', 'gateway-secret'),
    );
    expect(body.access_token).toMatch(/^ey/);

    // A server that knows no keys yet cannot tell, and says when to ask again.
    await server.close();
    await startServer();
    expect(await exchange(after.accessToken)).toBe('temporarily_unavailable');
    await external.comeBack();
    server.clock.advanceSeconds(11);
    expect(await server.claims(await exchange(after.accessToken))).toMatchObject({ act: {} });
  });

  it('cost their issuer one request for keys, however many tokens name unknown ones', async () => {
    const { accessToken } = await external.tokens('alice');
    const before = external.keyRequests;
    await Promise.all(Array.from({ length: 8 }, () => exchange(accessToken)));
    const [, payload, signature] = accessToken.split('.');
    for (let kid = 0; kid < 8; kid++) {
      const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: `k${kid}` }));
      const forged = [header.toString('base64url'), payload, signature].join('.');
      expect(await exchange(forged)).toBe('invalid_request');
    }
    expect(external.keyRequests - before).toBe(1);
  });

  it('are acted for under a condition, and the server does not start with one that is none', async () => {
    await server.close();
    condition = 'claims.client_id == "their-app" && client == "gateway" && claims.sub != "mallory"';
    await startServer();
    expect(await exchange((await external.tokens('alice')).accessToken)).toMatch(/^ey/);
    expect(await exchange((await external.tokens('mallory')).accessToken)).toBe('invalid_request');
    condition = 'claims.';
    await expect(startServer()).rejects.toThrow();
  });
});
