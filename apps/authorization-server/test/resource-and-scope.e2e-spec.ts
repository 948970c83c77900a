import { basic, files, TestServer, verifier, whoami } from './test-server.js';

describe('resource and scope', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  it.each([
    ['missing', { resource: undefined }],
    ['missing beside scopes of a resource', { resource: undefined, scope: 'openid mcp:tools' }],
    ['unknown', { resource: 'https://unknown.example.com/mcp' }],
    ['not a URI', { resource: 'files' }],
    ['of the administration', { resource: 'ADMIN' }],
    ['of the policy service', { resource: 'http://localhost:4002' }],
  ])('RFC 8707 §2: refuses a resource that is %s', async (_case, parameters) => {
    const resource = parameters.resource === 'ADMIN' ? `${server.issuer}/admin` : parameters.resource;
    const response = await server.authorize({ ...parameters, resource });
    expect(response.get('error')).toBe('invalid_target');
    expect(response.get('iss')).toBe(server.issuer);
  });

  it('RFC 8707 §2: refuses two resources', async () => {
    const url = server.authorizationUrl();
    url.searchParams.append('resource', whoami);
    const at = await server.browser.open(url, { stopAt: ({ host }) => host === 'client.example.com' });
    expect(at.url.searchParams.get('error')).toBe('invalid_target');
  });

  it.each(['HTTP://LOCALHOST:4003/mcp/files', 'http://LocalHost:4003/mcp/files'])(
    'clients.md 18, mcp.md 21: takes the spelling %s and issues for the registered one',
    async (resource) => {
      const code = (await server.authorize({ resource })).get('code');
      const { body } = await server.redeem(code, { resource });
      expect((await server.claims(body.access_token)).aud).toBe(files);
    },
  );

  it('RFC 8707 §2.2: refuses another resource at the token endpoint', async () => {
    const code = (await server.authorize()).get('code');
    expect((await server.redeem(code, { resource: whoami })).body.error).toBe('invalid_target');
  });

  it('issues for the granted resource when the token request names none', async () => {
    const code = (await server.authorize({ scope: 'openid mcp:tools' })).get('code');
    const { body } = await server.token({
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: 'https://client.example.com/callback',
      code_verifier: verifier,
    });
    expect((await server.claims(body.access_token)).aud).toBe(files);
    expect(body['id_token']).toEqual(expect.any(String));
  });

  it('clients.md 6: without scope the defaults of the resource apply', async () => {
    const body = await server.signIn({ scope: undefined });
    expect(body['scope']).toBe('mcp:tools');
  });

  it('clients.md 6: drops scopes that the resource does not have', async () => {
    const body = await server.signIn({ scope: 'mcp:tools admin policy:evaluate offline_access made:up' });
    expect(body['scope']).toBe('mcp:tools');
  });

  it('clients.md 6: for scopes of the sign-in alone the defaults of the resource come along', async () => {
    const body = await server.signIn({ scope: 'openid profile offline_access' });
    expect((await server.claims(body.access_token))['scope']).toBe('mcp:tools');
  });

  it('refuses a scope list of which nothing is left', async () => {
    const response = await server.authorize({ scope: 'made:up' });
    expect(response.get('error')).toBe('invalid_scope');
    expect(response.get('iss')).toBe(server.issuer);
  });

  it('lets a client sign a person in without a resource', async () => {
    const code = (await server.authorize({ resource: undefined, scope: 'openid profile' })).get('code');
    const { body } = await server.token({
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: 'https://client.example.com/callback',
      code_verifier: verifier,
    });
    const answer = await fetch(`${server.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    expect(await answer.json()).toEqual({ sub: 'alice', name: 'ALICE', groups: ['eng'] });
  });

  it('clients.md 5: the scope of a registration is no ceiling', async () => {
    const { body: client } = await server.register({
      redirect_uris: ['http://localhost/callback'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp:tools',
    });
    const response = await server.authorize({
      client_id: String(client['client_id']),
      redirect_uri: 'http://localhost:5555/callback',
      scope: 'mcp:tools files:write',
    });
    expect(response.get('code')).not.toBeNull();
  });

  it('clients.md 4: a new authorization adds to what the client was granted at the resource', async () => {
    await server.signIn({ scope: 'mcp:tools' });
    const body = await server.signIn({ scope: 'files:write' });
    expect(String(body['scope']).split(' ').toSorted()).toEqual(['files:write', 'mcp:tools']);
    const elsewhere = await server.authorize({ resource: whoami });
    const other = await server.redeem(elsewhere.get('code'), { resource: whoami });
    expect((await server.claims(other.body.access_token))['scope']).toBe('mcp:tools');
  });
});

describe('a client of 2025-03-26, which names no resource', () => {
  it('gets the upstream that the operator chose for it', async () => {
    const server = await TestServer.start({ gateway: { legacyDefaultUpstream: 'whoami' } });
    const code = (await server.authorize({ resource: undefined })).get('code');
    const { body } = await server.redeem(code, { resource: '' });
    expect((await server.claims(body.access_token)).aud).toBe(whoami);
    await server.close();
  });
});

describe('client credentials', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.close());
  const operator = basic('operator', 'operator-secret');
  const ask = (parameters: Record<string, string>, authorization = operator) =>
    server.token({ grant_type: 'client_credentials', ...parameters }, authorization);

  it('issues what the configuration allows the client, for one resource', async () => {
    const { status, body } = await ask({ resource: `${server.issuer}/admin` });
    expect(status).toBe(200);
    const claims = await server.claims(body.access_token);
    expect(claims).toMatchObject({ sub: 'operator', client_id: 'operator', scope: 'admin', txn: claims.jti });
    expect(claims).not.toHaveProperty('grant_id');
    expect(body).not.toHaveProperty('refresh_token');
  });

  it.each([
    ['no resource', {}, 'invalid_target'],
    ['an unknown resource', { resource: 'https://unknown.example.com' }, 'invalid_target'],
    ['a resource it has no scope of', { resource: files }, 'invalid_scope'],
    ['another scope', { resource: 'ADMIN', scope: 'mcp:tools' }, 'invalid_scope'],
  ])('refuses %s', async (_case, parameters: Record<string, string>, error) => {
    const resource = parameters['resource'] === 'ADMIN' ? `${server.issuer}/admin` : parameters['resource'];
    expect((await ask({ ...parameters, ...(resource && { resource }) })).body.error).toBe(error);
  });

  it('RFC 6749 §5.2: unauthorized_client for a client that may not use the grant', async () => {
    const { status, body } = await ask({ resource: files }, basic('web-app', 'web-app-secret'));
    expect(status).toBe(400);
    expect(body.error).toBe('unauthorized_client');
  });

  it.each([basic('operator', 'wrong'), basic('nobody', 'x')])(
    'refuses bad authentication',
    async (authorization) => {
      const { status, body } = await ask({ resource: files }, authorization);
      expect(status).toBe(401);
      expect(body.error).toBe('invalid_client');
    },
  );
});
