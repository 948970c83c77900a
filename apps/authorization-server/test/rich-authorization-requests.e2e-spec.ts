import { decodeJwt } from 'jose';
import { agentId, agentResource, TestAgents, upstream } from './test-agents.js';
import { basic, files, redirectUri, type Tokens } from './test-server.js';

const types = {
  folder_access: {
    description: 'Work in one folder',
    actions: ['read', 'write'],
    members: { folder: 'Folder' },
    required: ['folder'],
  },
  mail: { description: 'Send mail' },
};
const folder = { type: 'folder_access', actions: ['read', 'write'], folder: 'Reports <b>' };
const readOnly = { ...folder, actions: ['read'] };

let agents: TestAgents;
beforeEach(async () => {
  agents = await TestAgents.start({ server: { authorizationDetailsTypes: types } });
});
afterEach(() => agents.close());

const json = (...details: unknown[]): string => JSON.stringify(details);
const signIn = (details: string, more: Record<string, string> = {}): Promise<Tokens['body']> =>
  agents.server.signIn({ authorization_details: details, ...more });
const detailsIn = (token: string): unknown => decodeJwt(token)['authorization_details'];

describe('authorization details in an authorization request', () => {
  it('RFC 9396 §10: lists the types in the metadata', async () => {
    const metadata = await fetch(`${agents.server.issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({
      authorization_details_types_supported: ['folder_access', 'mail'],
      pushed_authorization_request_endpoint: `${agents.server.issuer}/par`,
    });
  });

  it('RFC 9396 §7: what the person agreed to is in the token and in the answer', async () => {
    const body = await signIn(json(folder));
    expect(body['authorization_details']).toEqual([folder]);
    expect((await agents.server.claims(body.access_token))['authorization_details']).toEqual([folder]);
    const gateway = basic('gateway', 'gateway-secret');
    expect(await agents.server.introspect(body.access_token, gateway)).toMatchObject({
      active: true,
      authorization_details: [folder],
    });
  });

  it('shows each member in words, and nothing of it as markup', async () => {
    const { browser } = agents.server;
    const page = await browser.open(agents.server.authorizationUrl({ authorization_details: json(folder) }));
    const { html } = await browser.submit(page, { username: 'alice', password: 'alice' });
    for (const shown of ['Work in one folder', 'To do: read, write', 'Folder: Reports &lt;b&gt;'])
      expect(html).toContain(shown);
  });

  it('is listed on the page that shows what applications may do', async () => {
    await signIn(json(folder));
    const { html } = await agents.server.browser.open(`${agents.server.issuer}/me`);
    expect(html).toContain('Folder: Reports &lt;b&gt;');
  });

  it('RFC 9396 §12: asks for them each time, and a request without them gets none', async () => {
    await signIn(json(folder));
    const again = await agents.server.browser.open(
      agents.server.authorizationUrl({ authorization_details: json(folder) }),
    );
    expect(again.html).toContain('name="decision"');
    const body = await agents.server.signIn();
    expect([body['authorization_details'], detailsIn(body.access_token)]).toEqual([undefined, undefined]);
    const other = await signIn(json({ type: 'mail' }));
    expect(detailsIn(other.access_token)).toEqual([{ type: 'mail' }]);
  });

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no list', '{"type":"mail"}'],
    ['no type', '[{}]'],
    ['a type that is not known', json({ type: 'payment' })],
    ['a type by another spelling', json({ type: 'MAIL' })],
    ['a type that every object has', json({ type: 'constructor' })],
    ['a member that the type does not have', json({ ...folder, everything: true })],
    ['a member that the type needs left out', json({ type: 'folder_access', actions: ['read'] })],
    ['an action that the type does not have', json({ ...folder, actions: ['read', 'delete'] })],
    ['an empty set, which could be read as all', json({ ...folder, actions: [] })],
    ['a location that is not the resource', json({ ...folder, locations: [files, upstream] })],
    ['more details than anybody reads', json(...Array.from({ length: 33 }, () => folder))],
  ])('RFC 9396 §5: refuses %s', async (_title, details) => {
    const answer = await agents.server.authorize({ authorization_details: details });
    expect(answer.get('error')).toBe('invalid_authorization_details');
    expect(answer.get('code')).toBeNull();
  });

  it('RFC 9396 §10: a client with authorization_details_types may ask for those only', async () => {
    const { body } = await agents.server.register({
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      authorization_details_types: ['mail', 'known_elsewhere'],
    });
    expect(body['authorization_details_types']).toEqual(['mail']);
    const id = { client_id: String(body['client_id']) };
    const refused = await agents.server.authorize({ ...id, authorization_details: json(folder) });
    expect(refused.get('error')).toBe('invalid_authorization_details');
    const granted = await agents.server.authorize({ ...id, authorization_details: json({ type: 'mail' }) });
    expect(granted.get('code')).not.toBeNull();
  });
});

describe('authorization details in token requests', () => {
  const refresh = (token: string, details: string): Promise<Tokens> =>
    agents.server.refresh(token, { resource: files, authorization_details: details });

  it('RFC 9396 §6: a token request narrows, and does not widen', async () => {
    const authorize = { authorization_details: json(folder) };
    const redeem = async (details: string): Promise<Tokens> => {
      const code = (await agents.server.authorize(authorize)).get('code');
      return agents.server.redeem(code, { authorization_details: details });
    };
    expect((await redeem(json(readOnly))).body['authorization_details']).toEqual([readOnly]);
    for (const more of [json({ ...folder, folder: 'Other' }), json(folder, { type: 'mail' }), '{'])
      expect((await redeem(more)).body.error).toBe('invalid_authorization_details');
  });

  it('RFC 9396 §6: a refresh narrows its access token, and the next one may have all again', async () => {
    const { refresh_token: first } = await signIn(json(folder));
    const narrow = await refresh(first, json(readOnly));
    expect(detailsIn(narrow.body.access_token)).toEqual([readOnly]);
    const wide = await refresh(narrow.body.refresh_token, json({ type: 'mail' }));
    expect(wide.body.error).toBe('invalid_authorization_details');
    const all = await agents.server.refresh(narrow.body.refresh_token);
    expect(detailsIn(all.body.access_token)).toEqual([folder]);
  });

  it('RFC 9396 §6: what one sign-in was agreed to does not come out of the refresh token of another', async () => {
    const { refresh_token: plain } = await agents.server.signIn();
    await signIn(json(folder));
    const asked = await refresh(plain, json(folder));
    expect(asked.body.error).toBe('invalid_authorization_details');
    expect(detailsIn((await agents.server.refresh(plain)).body.access_token)).toBeUndefined();
  });

  it('an exchange carries them within the ceiling, for the target, and as far as they were asked for', async () => {
    await agents.create({
      ceiling: {
        audiences: [files, upstream],
        scopes: ['mcp:tools'],
        authorizationDetailsTypes: ['folder_access'],
      },
    });
    const details = json(folder, { type: 'mail' });
    const wanted = { resource: agentResource, scope: 'mcp:tools', authorization_details: details };
    const code = (await agents.server.authorize(wanted)).get('code');
    const { body } = await agents.server.redeem(code, { resource: agentResource });
    expect(detailsIn(body.access_token)).toEqual([folder, { type: 'mail' }]);
    const exchanged = await agents.exchange(body.access_token);
    expect(detailsIn(exchanged.body.access_token)).toEqual([folder]);
    const narrowed = await agents.exchange(body.access_token, { authorization_details: json(readOnly) });
    expect(narrowed.body['authorization_details']).toEqual([readOnly]);
    for (const more of [{ type: 'mail' }, { ...folder, folder: 'Other' }]) {
      const refused = await agents.exchange(body.access_token, { authorization_details: json(more) });
      expect(refused.body.error).toBe('invalid_authorization_details');
    }
    expect(agentId).toBe(decodeJwt(exchanged.body.access_token)['client_id']);
  });
});

describe('pushed authorization requests', () => {
  const push = async (parameters: Record<string, string | undefined>): Promise<Response> => {
    const { searchParams } = agents.server.authorizationUrl(parameters);
    return agents.server.post('/par', Object.fromEntries(searchParams), basic('web-app', 'web-app-secret'));
  };
  const pushed = async (parameters: Record<string, string | undefined>): Promise<URL> => {
    const response = await push(parameters);
    expect(response.status).toBe(201);
    const { request_uri } = (await response.json()) as { request_uri: string };
    return new URL(
      `/auth?client_id=web-app&request_uri=${encodeURIComponent(request_uri)}`,
      agents.server.issuer,
    );
  };
  const follow = async (url: URL): Promise<URLSearchParams> => {
    const at = await agents.server.browser.signInAndConsent(url, {
      username: 'alice',
      stopAt: ({ host }) => host === 'client.example.com',
    });
    return at.searchParams;
  };

  const atClient = async (url: URL): Promise<URL> =>
    (await agents.server.browser.open(url, { stopAt: ({ host }) => host === 'client.example.com' })).url;

  it('RFC 9126 §2: what was pushed is asked for, details and all', async () => {
    const url = await pushed({ authorization_details: json(folder), scope: 'mcp:tools made:up' });
    const { body } = await agents.server.redeem((await follow(url)).get('code'));
    expect(body['authorization_details']).toEqual([folder]);
    expect(body['scope']).toBe('mcp:tools');
  });

  it('RFC 9126 §4: parameters next to it do not count, and it is used once', async () => {
    const url = await pushed({ scope: 'mcp:tools' });
    url.searchParams.set('scope', 'mcp:tools files:write');
    url.searchParams.set('authorization_details', json(folder));
    const { body } = await agents.server.redeem((await follow(url)).get('code'));
    expect([body['scope'], body['authorization_details']]).toEqual(['mcp:tools', undefined]);
    expect((await atClient(url)).searchParams.get('error')).toBe('invalid_request_uri');
  });

  it('RFC 9126 §2.3: refuses what the authorization endpoint would refuse, and who does not authenticate', async () => {
    for (const [parameters, error] of [
      [{ authorization_details: json({ type: 'payment' }) }, 'invalid_authorization_details'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
      [{ scope: 'made:up' }, 'invalid_scope'],
      [{ code_challenge: undefined }, 'invalid_request'],
      [{ redirect_uri: 'https://evil.example/callback' }, 'invalid_request'],
    ] as const) {
      const response = await push(parameters);
      expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error })]);
    }
    const form = Object.fromEntries(agents.server.authorizationUrl().searchParams);
    const stranger = await agents.server.post('/par', form, basic('web-app', 'wrong'));
    expect([stranger.status, await stranger.json()]).toEqual([
      401,
      expect.objectContaining({ error: 'invalid_client' }),
    ]);
  });

  it('RFC 9101: nothing but what was pushed here is taken by reference', async () => {
    const url = agents.server.authorizationUrl({
      request_uri: 'https://evil.example/request',
      state: undefined,
    });
    expect((await atClient(url)).searchParams.get('error')).toBe('request_uri_not_supported');
  });
});
