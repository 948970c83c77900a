import { decodeJwt } from 'jose';
import { TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, redirectUri, type Tokens } from './test-server.js';

const theirs = 'https://as.partner.example';
const app = basic('app', 'app-secret');

describe('an ID token as a subject token', () => {
  let agents: TestAgents;
  let idToken: string;
  let tokens: Tokens['body'];
  beforeEach(async () => {
    const options = {
      server: {
        resources: [{ resource: upstream, name: 'Upstream', scopes: ['mcp:tools'], delegation: 'grant' }],
        idJag: {
          authorizationServers: [
            { issuer: theirs, clients: { app: 'theirs' }, resources: [`${theirs}/*`], scopes: ['mcp:tools'] },
          ],
        },
        clients: [
          {
            clientId: 'operator',
            demoSecret: 'operator-secret',
            grantTypes: ['client_credentials'],
            scopes: ['admin'],
          },
          {
            clientId: 'app',
            demoSecret: 'app-secret',
            redirectUris: [redirectUri],
            grantTypes: ['authorization_code', 'refresh_token', tokenExchange],
            exchange: { audiences: [upstream], scopes: ['mcp:tools'] },
          },
        ],
      },
    };
    // A decision that says of which policies it is: what comes of it may be cached.
    const context = { id: 'd', policy_version: 'v1' };
    agents = await TestAgents.start(options, async () => ({ decision: true, context }));
    const { server } = agents;
    const grant = { person: 'alice', agent: 'app', resource: upstream, scopes: ['mcp:tools'] };
    expect((await agents.admin('POST', '/grants', { ...grant, purpose: 'Mail' })).status).toBe(201);
    const wanted = { client_id: 'app', scope: 'openid mcp:tools' };
    tokens = (await server.redeem((await server.authorize(wanted)).get('code'), {}, app)).body;
    idToken = String(tokens['id_token']);
  });
  afterEach(() => agents.close());

  const exchange = (more: Record<string, string>, subject = idToken): Promise<Tokens> => {
    const type = 'urn:ietf:params:oauth:token-type:id_token';
    const form = { grant_type: tokenExchange, subject_token: subject, subject_token_type: type };
    return agents.server.token({ ...form, ...more }, app);
  };
  const uses: [string, Record<string, string>][] = [
    ['a delegated token', { resource: upstream }],
    [
      'an identity assertion',
      {
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        audience: theirs,
        resource: `${theirs}/mcp`,
      },
    ],
  ];
  const outcomes = (): Promise<unknown[]> =>
    Promise.all(uses.map(async ([, form]) => (await exchange(form)).body.error ?? 'issued'));
  const signOut = async (): Promise<void> => {
    const page = await agents.server.browser.open(`${agents.server.issuer}/session/end`);
    await agents.server.browser.submit(page, { logout: 'yes' });
  };

  it('OpenID Connect Back-Channel Logout §2.1: names its sign-in, as the access token does, after a refresh too', async () => {
    const { sid } = decodeJwt(tokens.access_token);
    expect([decodeJwt(idToken)['sid'], typeof sid]).toEqual([sid, 'string']);
    const { body } = await agents.server.refresh(tokens.refresh_token, {}, app);
    expect(decodeJwt(String(body['id_token']))['sid']).toBe(sid);
    expect(await outcomes()).toEqual(['issued', 'issued']);
  });

  it('is worth nothing once the person has signed out, though they were given out before', async () => {
    expect(await outcomes()).toEqual(['issued', 'issued']);
    await signOut();
    expect(await outcomes()).toEqual(['invalid_request', 'invalid_request']);
    // A client may go on without the person; it cannot say that they are there.
    const { body } = await agents.server.refresh(tokens.refresh_token, {}, app);
    expect((await exchange({ resource: upstream }, String(body['id_token']))).body.error).toBe(
      'invalid_request',
    );
  });

  it('is worth nothing once the sign-in was ended by an administrator', async () => {
    const { sid } = decodeJwt(idToken);
    const ended = await agents.admin('POST', '/revocations', { kind: 'session', id: sid });
    expect(ended.status).toBeLessThan(300);
    expect(await outcomes()).toEqual(['invalid_request', 'invalid_request']);
  });

  it('of one sign-in says nothing about another one of the same person', async () => {
    await signOut();
    const again = { client_id: 'app', scope: 'openid mcp:tools' };
    const { body } = await agents.server.redeem((await agents.server.authorize(again)).get('code'), {}, app);
    expect(await outcomes()).toEqual(['invalid_request', 'invalid_request']);
    expect((await exchange({ resource: upstream }, String(body['id_token']))).status).toBe(200);
  });
});
