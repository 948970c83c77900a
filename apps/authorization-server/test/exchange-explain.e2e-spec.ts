import { agentId, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, files, redirectUri } from './test-server.js';

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

describe('POST /exchange/explain', () => {
  let agents: TestAgents;
  let subject: string;
  beforeEach(async () => {
    agents = await TestAgents.start();
    await agents.create();
    subject = await agents.personToken();
  });
  afterEach(() => agents.close());

  const asAdmin = async (body: object, token = agents.token): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`${agents.server.issuer}/exchange/explain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  const asClient = async (
    more: Record<string, string> = {},
    authorization?: string,
  ): Promise<[number, Record<string, unknown>]> => {
    const form = {
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: accessToken,
      resource: files,
      ...(authorization === undefined && {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await agents.assertion(),
      }),
      ...more,
    };
    const response = await agents.server.post('/exchange/explain', form, authorization);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  const asked = () => ({
    client_id: agentId,
    subject_token: subject,
    subject_token_type: accessToken,
    resource: [files],
  });

  it('tells a client what its own request would come to, and issues nothing', async () => {
    const [status, explanation] = await asClient();
    expect([status, explanation]).toMatchObject([
      200,
      {
        outcome: 'minted',
        client: agentId,
        person: 'alice',
        actors: [agentId],
        audiences: [files],
        scope: { left: ['mcp:tools'] },
        token: { typ: 'at+jwt', claims: { sub: 'alice', act: { sub: agentId } } },
      },
    ]);
    expect(JSON.stringify(explanation)).not.toMatch(/eyJ/);
    expect(agents.server.audit.at(-1)).toMatchObject({ type: 'exchange-explanation', client: agentId });
  });

  it('tells an administrator about any client’s, with the rule and the term that removed a scope', async () => {
    const [status, explanation] = await asAdmin({ ...asked(), scope: 'mcp:tools files:write' });
    expect([status, explanation]).toMatchObject([
      200,
      {
        outcome: 'refused',
        refusal: { reason: 'scope_beyond_authority', error: 'invalid_scope', see: 'RFC 8693 §2.1 (scope)' },
      },
    ]);
    expect((explanation['scope'] as { removed: object[] }).removed).toContainEqual({
      scope: 'files:write',
      by: expect.arrayContaining(['ceiling']) as string[],
    });
    const [, other] = await asAdmin({ ...asked(), client_id: 'gateway', resource: upstream, proof_jkt: 'k' });
    expect(other).toMatchObject({ client: 'gateway', refusal: { reason: 'subject_token_not_for_client' } });
  });

  it('is for administrators and authenticated clients alone', async () => {
    expect((await asAdmin(asked(), subject))[0]).toBe(401);
    expect((await asClient({}, basic('gateway', 'wrong')))[0]).toBe(401);
    expect((await asClient({ client_id: 'stranger' }, ''))[0]).toBe(400);
    expect((await asAdmin({ ...asked(), client_id: 'https://nobody.example/x' }))[1]).toMatchObject({
      refusal: { reason: 'client_may_not_exchange' },
    });
    await agents.change('suspend');
    expect(await asAdmin(asked())).toMatchObject([400, { error: 'unauthorized_client' }]);
    expect((await asAdmin({}))[0]).toBe(400);
  });

  it('does nothing but explain: no other grant is served there', async () => {
    const code = (await agents.server.authorize()).get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
    const web = basic('web-app', 'web-app-secret');
    const [status, body] = await asClient({ ...form, subject_token: '' }, web);
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
    const own = { grant_type: 'client_credentials', scope: 'policy:evaluate', resource: files };
    expect(await asClient(own, basic('gateway', 'gateway-secret'))).toMatchObject([
      400,
      { error: 'invalid_request' },
    ]);
    // It was not used up.
    expect((await agents.server.redeem(code)).status).toBe(200);
  });
});
