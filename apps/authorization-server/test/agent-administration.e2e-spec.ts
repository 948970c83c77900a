import { agentId, keyPair, TestAgents } from './test-agents.js';
import { basic } from './test-server.js';

const path = `/agents/${encodeURIComponent(agentId)}`;

describe('administration of agents', () => {
  let agents: TestAgents;
  beforeEach(async () => {
    agents = await TestAgents.start();
  });
  afterEach(() => agents.close());

  it.each([
    ['GET', '/agents'],
    ['POST', '/agents'],
    ['GET', path],
    ['PATCH', path],
    ['POST', `${path}/keys`],
    ['DELETE', `${path}/keys/k`],
    ['POST', `${path}/suspend`],
    ['POST', `${path}/resume`],
    ['POST', `${path}/retire`],
  ])('%s %s is refused without a token for it, before anything else is looked at', async (method, at) => {
    await agents.create();
    const person = await agents.personToken();
    const own = (await agents.own()).body.access_token;
    for (const authorization of [undefined, 'Bearer garbage', `Bearer ${person}`, `Bearer ${own}`]) {
      const response = await fetch(`${agents.server.issuer}/admin${at}`, {
        method,
        headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
        ...(method !== 'GET' && { body: 'no JSON' }),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await response.json()).toMatchObject({ error: 'invalid_token' });
    }
    expect((await agents.admin('GET', path)).body).toMatchObject({ state: 'active', version: 1 });
  });

  it('registers an agent, tells where it is, and records who did it', async () => {
    const { status, body, headers } = await agents.create();
    expect([status, body.id, body.state, body.version]).toEqual([201, agentId, 'active', 1]);
    expect(headers.get('location')).toBe(`${agents.server.issuer}/admin${path}`);
    expect(headers.get('etag')).toBe('"1"');
    expect((await agents.admin('GET', path)).body).toEqual(body);
    expect(agents.server.audit.at(-1)).toMatchObject({
      type: 'agent-change',
      outcome: 'allowed',
      client: 'operator',
      details: { change: 'create', agent: agentId, version: 1, state: 'active' },
    });
  });

  it('records every change, and what was refused with its reason', async () => {
    await agents.create();
    await agents.change('suspend');
    await agents.change('resume');
    await agents.create();
    const changes = agents.server.audit.filter(({ type }) => type === 'agent-change');
    expect(
      changes.map(({ outcome, details }) => [details?.['change'], outcome, details?.['reason']]),
    ).toEqual([
      ['create', 'allowed', undefined],
      ['suspend', 'allowed', undefined],
      ['resume', 'allowed', undefined],
      ['create', 'refused', 'id_taken'],
    ]);
  });

  it.each<[string, unknown, number]>([
    ['a private key', async () => (await import('jose')).exportJWK((await keyPair('x')).privateKey), 400],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }, 400],
  ])('refuses %s, and repeats none of it', async (_title, given, expected) => {
    const key = (typeof given === 'function' ? await (given as () => unknown)() : given) as {
      d?: string;
      k?: string;
    };
    const { status, body } = await agents.create({ jwks: { keys: [key] } });
    expect([status, body.error]).toEqual([expected, 'invalid_request']);
    await agents.create();
    expect((await agents.admin('POST', `${path}/keys`, { key })).status).toBe(expected);
    const written = JSON.stringify([body, agents.server.audit, await agents.server.outbox()]);
    expect(written).not.toContain(key.d ?? key.k);
  });

  it('refuses a third key', async () => {
    const [one, two, three] = await Promise.all(['1', '2', '3'].map((kid) => keyPair(kid)));
    await agents.create({ jwks: { keys: [one!.publicJwk, two!.publicJwk] } });
    expect((await agents.admin('POST', `${path}/keys`, { key: three!.publicJwk })).status).toBe(409);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['an id that is a configured client', { id: 'web-app' }, 400],
    ['an id below this issuer', { id: 'issuer' }, 400],
    ['an id at another origin in disguise', { id: 'https://agents.example@evil.example/a' }, 400],
    ['a member nobody knows', { admin: true }, 400],
    ['a state of its own', { state: 'active' }, 400],
  ])('refuses %s', async (_title, changes, expected) => {
    const id = changes['id'] === 'issuer' ? `${agents.server.issuer}/token` : changes['id'];
    expect((await agents.create({ ...changes, ...(id !== undefined && { id }) })).status).toBe(expected);
  });

  it.each([
    ['not JSON', '{'],
    ['a member twice', `{"name":"a","name":"b"}`],
    ['a prototype', `{"__proto__":{"name":"a"}}`],
  ])('RFC 7493: refuses %s', async (_title, body) => {
    expect((await agents.admin('POST', '/agents', body)).status).toBe(400);
    expect((await agents.admin('POST', '/agents', body, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('RFC 9110 §13.1.1: updates only what the administrator has seen', async () => {
    const { headers } = await agents.create();
    const etag = headers.get('etag')!;
    const patch = (name: string, ifMatch?: string) =>
      agents.admin('PATCH', path, { name }, ifMatch === undefined ? {} : { 'if-match': ifMatch });
    expect((await patch('Blind')).status).toBe(428);
    const both = await Promise.all([patch('One', etag), patch('Two', etag)]);
    expect(both.map(({ status }) => String(status)).sort()).toEqual(['200', '412']);
    for (const stale of [etag, '"9"', 'W/"2"', '2', '"2", "3"'])
      expect((await patch('Stale', stale)).status).toBe(412);
    expect((await patch('Any', '*')).body.version).toBe(3);
    const stop = await agents.admin('POST', `${path}/suspend`, undefined, { 'if-match': etag });
    expect(stop.status).toBe(412);
  });

  it('lists agents page by page', async () => {
    for (const slug of ['a', 'b', 'c']) {
      expect((await agents.create({ id: undefined, slug })).status).toBe(201);
    }
    const first = (await agents.admin('GET', '/agents?limit=2')).body;
    expect(first.agents).toHaveLength(2);
    const { body } = await agents.admin('GET', `/agents?limit=2&after=${encodeURIComponent(first.next!)}`);
    expect(body.agents.map(({ id }) => id)).toEqual([`${agents.server.issuer}/agents/c`]);
    expect((await agents.admin('GET', '/agents?state=suspended')).body.agents).toEqual([]);
    for (const query of ['limit=0', 'limit=501', 'state=gone', 'states=active']) {
      expect((await agents.admin('GET', `/agents?${query}`)).status).toBe(400);
    }
  });

  it('answers 404 for an agent that nobody knows', async () => {
    for (const at of ['/agents/nobody', '/agents/web-app', path]) {
      expect((await agents.admin('GET', at)).status).toBe(404);
      expect((await agents.admin('POST', `${at}/suspend`)).status).toBe(404);
    }
  });

  it('lets another administrator in by another token only with the scope', async () => {
    const parameters = { grant_type: 'client_credentials', resource: `${agents.server.issuer}/admin` };
    const { body } = await agents.server.token(parameters, basic('gateway', 'gateway-secret'));
    expect(body.error).toBe('invalid_scope');
  });
});

describe('an agent whose id was made here', () => {
  let agents: TestAgents;
  afterEach(() => agents.close());

  it('has its metadata document and its keys at its id, while it is active', async () => {
    agents = await TestAgents.start();
    const { body } = await agents.create({ id: undefined, slug: 'helper' });
    expect(body.id).toBe(`${agents.server.issuer}/agents/helper`);
    const document = await fetch(body.id);
    expect(document.headers.get('content-type')).toMatch(/^application\/json/);
    const metadata = (await document.json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({ client_id: body.id, token_endpoint_auth_method: 'private_key_jwt' });
    expect(JSON.stringify(metadata)).not.toContain('ops@example.com');
    const keys = await fetch(metadata['jwks_uri'] as string);
    expect(keys.headers.get('content-type')).toMatch(/^application\/jwk-set\+json/);
    expect(await keys.json()).toEqual(body.jwks);
    const assertion = { iss: body.id, sub: body.id };
    expect((await agents.own({}, await agents.assertion(assertion))).status).toBe(200);

    await agents.change('suspend', body.id);
    expect((await agents.own({}, await agents.assertion(assertion))).status).toBe(401);
    for (const at of [body.id, metadata['jwks_uri'] as string, `${agents.server.issuer}/agents/nobody`]) {
      expect((await fetch(at)).status).toBe(404);
    }
  });
});

describe('openapi.json', () => {
  let agents: TestAgents;
  afterEach(() => agents.close());

  it('describes every route of the administration of agents and grants, with schemas that resolve', async () => {
    agents = await TestAgents.start();
    const response = await fetch(`${agents.server.issuer}/admin/openapi.json`);
    const document = (await response.json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
      components: { schemas: Record<string, { required?: string[] }> };
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    const routes = Object.entries(document.paths).flatMap(([at, methods]) =>
      Object.keys(methods).map((method) => `${method} ${at}`),
    );
    expect(routes.sort()).toEqual([
      'delete /agents/{agent}/keys/{kid}',
      'delete /agents/{agent}/secrets/{id}',
      'get /agents',
      'get /agents/{agent}',
      'get /grants',
      'get /grants/{grant}',
      'patch /agents/{agent}',
      'patch /grants/{grant}',
      'post /agents',
      'post /agents/{agent}/keys',
      'post /agents/{agent}/resume',
      'post /agents/{agent}/retire',
      'post /agents/{agent}/secrets',
      'post /agents/{agent}/suspend',
      'post /grants',
      'post /grants/{grant}/revoke',
      'post /revocations',
    ]);
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name!);
    }
    // What has a default may be left out of a request.
    expect(document.components.schemas['CreateAgent']!.required).toEqual([
      'name',
      'owner',
      'purpose',
      'ceiling',
    ]);
  });
});
