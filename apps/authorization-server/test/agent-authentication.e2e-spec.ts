import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { PrivateKeyJwtProvider } from '@modelcontextprotocol/client';
import { exportPKCS8 } from 'jose';
import * as openid from 'openid-client';
import { agentId, keyPair, TestAgents } from './test-agents.js';
import { files, TestServer, whoami } from './test-server.js';

describe('private_key_jwt of an agent', () => {
  let agents: TestAgents;
  let decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  beforeEach(async () => {
    decide = async () => ({ decision: true });
    agents = await TestAgents.start({ replicas: 1 }, (evaluation) => decide(evaluation));
    expect((await agents.create()).status).toBe(201);
  });
  afterEach(() => agents.close());

  it('gets a token in its own name, for a resource in its ceiling', async () => {
    const { status, body } = await agents.own();
    expect(status).toBe(200);
    const claims = await agents.server.claims(body.access_token);
    expect(claims).toMatchObject({ sub: agentId, client_id: agentId, aud: files, scope: 'mcp:tools' });
  });

  it('RFC 7523 §3: is taken once, of several at once one wins', async () => {
    const assertion = await agents.assertion();
    // All have come so far before any of them says that it was used.
    const { oneTime } = agents.server;
    const claim = oneTime.claim.bind(oneTime);
    let waiting = 0;
    let release = (): void => {};
    const everybody = new Promise<void>((resolve) => (release = resolve));
    oneTime.claim = async (...claimed) => {
      if (waiting < 6) {
        if ((waiting += 1) === 6) release();
        await everybody;
      }
      return claim(...claimed);
    };
    const all = await Promise.all(Array.from({ length: 6 }, () => agents.own({}, assertion)));
    expect(all.map(({ status }) => String(status)).sort()).toEqual([
      '200',
      '401',
      '401',
      '401',
      '401',
      '401',
    ]);
    expect((await agents.own({}, assertion)).body.error).toBe('invalid_client');
    // Neither by another grant, nor at another endpoint.
    expect((await agents.exchange(await agents.personToken(), {}, assertion)).status).toBe(401);
    const introspecting = await agents.server.post('/introspect', {
      token: 'x',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    expect(introspecting.status).toBe(401);
  });

  const hour = 3600;
  it.each<[string, (now: number, issuer: string) => Record<string, unknown>]>([
    ['for the token endpoint', (_now, issuer) => ({ aud: `${issuer}/token` })],
    ['for two audiences', (_now, issuer) => ({ aud: [issuer, 'https://other.example'] })],
    ['for another issuer', () => ({ aud: 'https://other.example' })],
    ['for nobody', () => ({ aud: undefined })],
    ['that has expired', (now) => ({ iat: now - 120, exp: now - 60 })],
    ['that was made an hour ago', (now) => ({ iat: now - hour })],
    ['that is good for an hour', (now) => ({ exp: now + hour })],
    ['that never expires', () => ({ exp: undefined })],
    ['from the future', (now) => ({ nbf: now + hour })],
    ['without a jti', () => ({ jti: undefined })],
    ['by somebody else', () => ({ iss: 'web-app' })],
    ['about somebody else', () => ({ sub: 'gateway' })],
    ['about nobody', () => ({ sub: undefined })],
  ])('is refused %s', async (_title, claims) => {
    const now = Math.floor(agents.server.clock.nowMs() / 1000);
    const { status, body } = await agents.own({}, await agents.assertion(claims(now, agents.server.issuer)));
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  it('is refused of a foreign key, even under the kid of the agent or with the key in its header', async () => {
    const { privateKey, publicJwk } = await keyPair('k');
    for (const header of [
      {},
      { kid: undefined },
      { jwk: publicJwk },
      { jku: 'https://evil.example', kid: 'x' },
    ]) {
      const { status } = await agents.own({}, await agents.assertion({}, { key: privateKey, header }));
      expect(status).toBe(401);
    }
  });

  it('is refused with another alg, HS256 over the public key and none among them', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(agents.key.publicJwk));
    const rsa = await keyPair('k', 'RS256');
    const assertions = [
      await agents.assertion({}, { key: secret, header: { alg: 'HS256' } }),
      await agents.assertion({}, { key: rsa.privateKey, header: { alg: 'RS256' } }),
    ];
    const [, payload] = (await agents.assertion()).split('.');
    for (const alg of ['none', 'None']) {
      assertions.push(`${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.`);
    }
    for (const assertion of assertions) {
      expect((await agents.own({}, assertion)).body.error).toBe('invalid_client');
    }
  });

  it('is the only way: neither the id alone, nor a secret', async () => {
    const parameters = { grant_type: 'client_credentials', resource: files, client_id: agentId };
    expect((await agents.server.token(parameters, null)).status).toBe(401);
    expect((await agents.server.token({ ...parameters, client_secret: 'x' }, null)).status).toBe(401);
  });

  it('serves token exchange and client credentials, nothing else', async () => {
    for (const grant of ['authorization_code', 'refresh_token']) {
      const { body } = await agents.ask({ grant_type: grant, code: 'x', refresh_token: 'x' });
      expect(body.error).toBe('unauthorized_client');
    }
    const response = await fetch(agents.server.authorizationUrl({ client_id: agentId }), {
      redirect: 'manual',
    });
    expect(response.status).toBe(400);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a resource beyond its ceiling', { resource: whoami }, 'invalid_target'],
    ['no resource', { resource: '' }, 'invalid_target'],
    ['a scope beyond its ceiling', { scope: 'files:write' }, 'invalid_scope'],
  ])('gets no token for %s', async (_title, parameters, error) => {
    expect((await agents.own(parameters)).body.error).toBe(error);
  });

  it('gets no token for administration or policy, whatever its ceiling says', async () => {
    const id = 'https://agents.example/climber';
    const { issuer } = agents.server;
    const ceiling = {
      audiences: ['*', `${issuer}/admin`, 'http://localhost:4002'],
      scopes: ['admin', 'policy:admin', 'policy:evaluate'],
    };
    await agents.create({ id, ceiling });
    for (const resource of [`${issuer}/admin`, 'http://localhost:4002']) {
      const { body } = await agents.own({ resource }, await agents.assertion({ iss: id, sub: id }));
      expect(body.error).toBe('invalid_target');
    }
  });

  it('gets its own token if policy permits, by its own name, and that is recorded', async () => {
    const asked: unknown[] = [];
    let permits = true;
    decide = async (evaluation) => {
      asked.push(evaluation);
      return { decision: permits, context: { id: 'd-1' } };
    };
    expect((await agents.own()).status).toBe(200);
    expect(asked).toEqual([
      {
        subject: { type: 'agent', id: agentId },
        action: { name: 'client_credentials' },
        resource: { type: 'audience', id: files },
        context: { client_id: agentId, scope: 'mcp:tools' },
      },
    ]);
    permits = false;
    expect((await agents.own()).body.error).toBe('invalid_target');
    const recorded = agents.server.audit.filter(({ client }) => client === agentId);
    expect(recorded.map(({ type, outcome, decisionId }) => [type, outcome, decisionId])).toEqual([
      ['client-credentials', 'allowed', 'd-1'],
      ['client-credentials', 'refused', 'd-1'],
    ]);
    decide = async () => Promise.reject(new Error('down'));
    const { status, body } = await agents.own();
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
  });

  it('lives no longer than the agent is given', async () => {
    const id = 'https://agents.example/brief';
    await agents.create({ id, lifetimes: { tokenSeconds: 60 } });
    const { body } = await agents.own({}, await agents.assertion({ iss: id, sub: id }));
    expect(body['expires_in']).toBe(60);
  });

  it('rotates its key: both are good until the old one is removed', async () => {
    const next = await keyPair('next');
    const path = `/agents/${encodeURIComponent(agentId)}/keys`;
    const withNext = async () =>
      agents.own({}, await agents.assertion({}, { key: next.privateKey, header: { kid: 'next' } }));
    expect((await withNext()).status).toBe(401);
    expect((await agents.admin('POST', path, { key: next.publicJwk })).status).toBe(200);
    expect((await withNext()).status).toBe(200);
    expect((await agents.own()).status).toBe(200);
    expect((await agents.admin('DELETE', `${path}/k`)).status).toBe(200);
    expect((await agents.own()).status).toBe(401);
    expect((await withNext()).status).toBe(200);
  });

  it('is what openid-client and the MCP SDK make', async () => {
    const { issuer } = agents.server;
    const configuration = await openid.discovery(
      new URL(issuer),
      agentId,
      {},
      openid.PrivateKeyJwt({ key: agents.key.privateKey, kid: 'k' }),
      { execute: [openid.allowInsecureRequests] },
    );
    const parameters = { resource: files, scope: 'mcp:tools' };
    expect((await openid.clientCredentialsGrant(configuration, parameters)).scope).toBe('mcp:tools');

    const provider = new PrivateKeyJwtProvider({
      clientId: agentId,
      privateKey: await exportPKCS8(agents.key.privateKey),
      algorithm: 'ES256',
      expectedIssuer: issuer,
    });
    const form = new URLSearchParams({ grant_type: 'client_credentials', resource: files });
    const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
    await provider.addClientAuthentication(
      new Headers(),
      form,
      `${issuer}/token`,
      (await metadata.json()) as Parameters<PrivateKeyJwtProvider['addClientAuthentication']>[3],
    );
    const response = await fetch(`${issuer}/token`, { method: 'POST', body: form });
    expect(response.status).toBe(200);
  });
});

describe('an agent that keeps its keys itself', () => {
  let agents: TestAgents;
  afterEach(() => agents.close());

  it('authenticates with the keys at its jwks_uri, which are fetched', async () => {
    const key = await keyPair('k');
    const fetched: string[] = [];
    agents = await TestAgents.start({
      fetch: async (url) => {
        fetched.push(String(url));
        return Response.json({ keys: [key.publicJwk] });
      },
    });
    const jwksUri = 'https://agents.example/jwks.json';
    expect((await agents.create({ jwks: undefined, jwksUri })).status).toBe(201);
    const { status } = await agents.own({}, await agents.assertion({}, { key: key.privateKey }));
    expect([status, new Set(fetched)]).toEqual([200, new Set([jwksUri])]);
    expect((await agents.own()).status).toBe(401);
  });

  it.each([
    'https://127.0.0.1/jwks.json',
    'https://10.0.0.1/jwks.json',
    'https://[::1]/jwks.json',
    'https://169.254.169.254/latest/meta-data',
    'http://agents.example/jwks.json',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
  ])('is not registered with keys at %s', async (jwksUri) => {
    agents = await TestAgents.start();
    const { status, body } = await agents.create({ jwks: undefined, jwksUri });
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('an id below this issuer that no agent has', () => {
  let server: TestServer;
  afterEach(() => server.close());

  it('is no metadata document that we would ask ourselves for', async () => {
    const fetched: string[] = [];
    server = await TestServer.start({
      server: { issuer: 'https://as.example' },
      fetch: async (url) => {
        fetched.push(String(url));
        return Response.json({});
      },
    });
    const ask = async (clientId: string): Promise<unknown> => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
      const response = await fetch(`${server.service.url}/token`, { method: 'POST', body });
      return ((await response.json()) as { error: string }).error;
    };
    expect(await ask('https://as.example/agents/nobody')).toBe('invalid_client');
    expect(fetched).toEqual([]);
    await ask('https://elsewhere.example/agents/nobody');
    expect(fetched).toHaveLength(1);
  });
});
