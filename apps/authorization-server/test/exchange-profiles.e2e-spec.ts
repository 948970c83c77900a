import { evaluatePolicy } from '@behalf/contracts';
import { decodeProtectedHeader } from 'jose';
import { agentId, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, files, TestServer, type Tokens } from './test-server.js';

const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const trustDomain = 'trust.example';
const gateway = basic('gateway', 'gateway-secret');

/** A gateway that may do all there is, and policy that permits what `permitted` says. */
describe('the profiles of token exchange', () => {
  let server: TestServer;
  let permitted: Set<string>;
  beforeEach(async () => {
    permitted = new Set(['exchange']);
    server = await TestServer.start({
      server: {
        transactionTokens: { trustDomain },
        resources: [
          { resource: upstream, name: 'Upstream', scopes: ['mcp:tools'] },
          {
            resource: 'https://delegated.example/mcp',
            name: 'D',
            scopes: ['mcp:tools'],
            delegation: 'grant',
          },
        ],
        clients: [
          {
            clientId: 'web-app',
            demoSecret: 'web-app-secret',
            redirectUris: ['https://client.example.com/callback'],
          },
          {
            clientId: 'gateway',
            demoSecret: 'gateway-secret',
            grantTypes: ['client_credentials', tokenExchange],
            exchange: {
              audiences: ['https://*', trustDomain],
              scopes: ['mcp:tools'],
              impersonation: [upstream],
              maxTargets: 2,
            },
          },
        ],
      },
    });
    server.bus.handle(evaluatePolicy, async ({ action }) => ({ decision: permitted.has(action.name) }));
    await server.bus.announced();
  });
  afterEach(() => server.close());

  const exchange = (subject: string, more: Record<string, string> = {}): Promise<Tokens> =>
    server.token(
      {
        grant_type: tokenExchange,
        subject_token: subject,
        subject_token_type: type('access_token'),
        resource: upstream,
        ...more,
      },
      gateway,
    );

  it('impersonates with a permission of its own and only then, and marks it in the audit log', async () => {
    const { access_token: subject } = await server.signIn();
    expect((await exchange(subject)).body.error).toBe('invalid_target');
    permitted.add('impersonate');
    const claims = await server.claims((await exchange(subject)).body.access_token);
    expect(claims).toMatchObject({ sub: 'alice', client_id: 'gateway' });
    expect(claims).not.toHaveProperty('act');
    expect(server.audit.at(-1)).toMatchObject({ outcome: 'allowed', details: { profile: 'impersonation' } });
  });

  it('takes an ID token for an ID token and an access token for an access token, and never one for the other', async () => {
    const { access_token: subject, id_token: idToken } = await server.signIn({ scope: 'openid mcp:tools' });
    for (const [token, as] of [
      [String(idToken), 'access_token'],
      [subject, 'id_token'],
    ] as const) {
      const { status, body } = await exchange(token, { subject_token_type: type(as) });
      expect([status, body.error]).toEqual([400, 'invalid_request']);
      expect(server.audit.at(-1)).toMatchObject({ details: { reason: 'subject_token_invalid' } });
    }
    // It is web-app's ID token, not the gateway's.
    await exchange(String(idToken), { subject_token_type: type('id_token') });
    expect(server.audit.at(-1)).toMatchObject({ details: { reason: 'subject_token_not_for_client' } });
  });

  it('issues transaction tokens, replaces them, and takes them for nothing else', async () => {
    const { access_token: subject } = await server.signIn();
    const more = {
      requested_token_type: type('txn_token'),
      audience: trustDomain,
      resource: '',
      scope: 'mcp:tools',
    };
    const first = await exchange(subject, { ...more, request_details: '{"tool":"write_file"}' });
    expect(first.body).toMatchObject({
      issued_token_type: type('txn_token'),
      token_type: 'N_A',
      expires_in: 30,
    });
    expect(decodeProtectedHeader(first.body.access_token).typ).toBe('txntoken+jwt');

    const replacing = { ...more, subject_token_type: type('txn_token') };
    const second = await exchange(first.body.access_token, replacing);
    expect(second.status).toBe(200);
    expect((await exchange(first.body.access_token)).body.error).toBe('invalid_request');
    expect((await exchange(subject, replacing)).body.error).toBe('invalid_request');
    const asAccess = { subject_token_type: type('txn_token') };
    expect((await exchange(second.body.access_token, asAccess)).body.error).toBe('invalid_request');

    // What ends the person's token ends what came of it.
    await server.post('/revoke', { token: subject }, basic('web-app', 'web-app-secret'));
    expect((await exchange(second.body.access_token, replacing)).body.error).toBe('invalid_request');
  });

  it('names the next actor on request, with policy’s permission', async () => {
    const { access_token: subject } = await server.signIn();
    permitted.add('impersonate');
    const named = { requested_actor: 'web-app' };
    expect((await exchange(subject, named)).body.error).toBe('invalid_target');
    permitted.add('designate');
    const { body } = await exchange(subject, named);
    expect((await server.claims(body.access_token))['may_act']).toEqual({
      sub: 'web-app',
      iss: server.issuer,
    });
  });

  it('refuses several targets when one of them is beyond the ceiling', async () => {
    const { access_token: subject } = await server.signIn();
    const form = new URLSearchParams({
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: type('access_token'),
    });
    for (const resource of [upstream, files]) form.append('resource', resource);
    const answer = await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { authorization: gateway },
      body: form,
    });
    // The gateway's own resource is beyond its ceiling.
    expect(await answer.json()).toMatchObject({ error: 'invalid_target' });
    expect(server.audit.at(-1)).toMatchObject({ details: { reason: 'target_beyond_ceiling' } });
  });
});

it('holds an agent to its ceiling in impersonation and number of targets', async () => {
  const agents = await TestAgents.start();
  try {
    const { status, body } = await agents.create({
      ceiling: { audiences: [files, upstream], scopes: ['mcp:tools'], impersonation: [files] },
    });
    expect([status, body.ceiling]).toMatchObject([201, { impersonation: [files], maxTargets: 1 }]);
    const subject = await agents.personToken();
    const claims = async (resource: string) =>
      agents.server.claims((await agents.exchange(subject, { resource })).body.access_token);
    expect(await claims(files)).not.toHaveProperty('act');
    expect(await claims(upstream)).toMatchObject({ act: { sub: agentId } });
  } finally {
    await agents.close();
  }
});
