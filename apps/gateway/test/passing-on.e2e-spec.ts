import { modernRequest } from './clients.js';
import { publicUrl } from './gateway-fixture.js';
import { call, useRecordedGateway } from './recorded-gateway.fixture.js';
import { type SeenRequest, respond } from './recording-upstream.js';

describe('what is passed on to an upstream over http', () => {
  const on = useRecordedGateway();

  it('carries a token of its own, never the caller’s, and only the headers of MCP', async () => {
    const headers = {
      cookie: 'session=secret',
      'x-api-key': 'secret',
      forwarded: 'for=1.2.3.4',
      'mcp-param-region': 'eu',
    };
    const response = await fetch(on.url, modernRequest('tools/call', call, { token: on.token, headers }));
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });

    const [seen] = on.upstream.seen as [SeenRequest];
    expect(JSON.stringify([seen.headers, seen.message])).not.toContain(on.token);
    expect(seen.headers.authorization).toMatch(/^Bearer ey/);
    expect(seen.headers).toMatchObject({ 'mcp-method': 'tools/call', 'mcp-param-region': 'eu' });
    expect(Object.keys(seen.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/cookie|x-api-key|forwarded/)]),
    );
  });

  it('asks for that token by RFC 8693, authenticated as the gateway', async () => {
    await fetch(on.url, modernRequest('tools/call', call, { token: on.token }));
    expect(on.gateway.issuer.exchanges).toEqual([
      {
        // RFC 6749 2.3.1: id and secret are form-encoded first.
        authorization: `Basic ${Buffer.from('demo-gateway:s%3Ae+c').toString('base64')}`,
        form: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: on.token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          resource: 'https://tools.example/mcp',
          scope: 'tools:use',
        },
      },
    ]);
  });

  it('asks the policy with the person, the actors, the tool and its arguments', async () => {
    await fetch(on.url, modernRequest('tools/call', call, { token: on.token }));
    expect(on.gateway.policy.asked).toEqual([
      {
        subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
        action: { name: 'tools/call' },
        resource: { type: 'tool', id: 'allowed', properties: { server: 'tools' } },
        context: {
          actors: [{ sub: 'agent', client_id: 'agent' }],
          server: 'tools',
          client_id: 'test-client',
          scope: 'mcp:tools',
          aud: `${publicUrl}/mcp/tools`,
          arguments: { path: '/tmp/x' },
          supported_obligations: ['redact', 'step-up', 'approval', 'tool-approval'],
          origin: { ip: '127.0.0.1' },
        },
      },
    ]);
  });

  it('RFC 9068 §5: asks it about an agent that calls for itself as an agent, whatever its token says of groups', async () => {
    const own = await on.gateway.tokenFor('tools', {
      sub: 'reporter',
      client_id: 'reporter',
      act: undefined,
    });
    await fetch(on.url, modernRequest('tools/call', call, { token: own }));
    await fetch(on.url, modernRequest('tools/list', {}, { token: own }));
    const subjects = on.gateway.policy.asked.map(({ subject }) => subject);
    expect(subjects.length).toBeGreaterThan(1);
    for (const subject of subjects) expect(subject).toEqual({ type: 'agent', id: 'reporter' });
  });

  it.each([
    ['invalid_target', 400, 403],
    ['invalid_request', 400, 403],
    ['server_error', 500, 503],
    ['invalid_client', 401, 503],
  ])('an exchange refused with %s ends the call', async (error, status, answered) => {
    on.gateway.issuer.refuseExchanges({ status, error });
    const response = await fetch(on.url, modernRequest('tools/call', call, { token: on.token }));
    expect([response.status, response.headers.has('retry-after')]).toEqual([answered, answered === 503]);
    expect(on.upstream.seen).toEqual([]);
  });

  it.each([
    [401, 502],
    [403, 403],
    [302, 502],
    [500, 502],
    [429, 503],
  ])('an upstream that answers %i is not passed off as us', async (status, answered) => {
    on.reply = (_seen, response) => {
      const headers = { 'www-authenticate': 'Bearer realm="upstream"', location: 'https://evil.example' };
      respond(response, {}, headers, status);
    };
    const response = await fetch(on.url, {
      ...modernRequest('tools/call', call, { token: on.token }),
      redirect: 'manual',
    });
    expect([
      response.status,
      response.headers.get('www-authenticate'),
      response.headers.get('location'),
    ]).toEqual([answered, null, null]);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: 1, error: expect.anything() });
  });

  it('a refusal of the protocol comes through as it is', async () => {
    on.reply = ({ message }, response) => {
      const error = { code: -32021, message: 'capability', data: { requiredCapabilities: { sampling: {} } } };
      respond(response, { jsonrpc: '2.0', id: message['id'], error }, {}, 400);
    };
    const response = await fetch(on.url, modernRequest('tools/call', call, { token: on.token }));
    expect([response.status, await response.json()]).toMatchObject([400, { id: 1, error: { code: -32021 } }]);
  });

  it('what was decided for one person is not left to caches of all', async () => {
    on.reply = ({ message }, response) => {
      const result = { contents: [], resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' };
      respond(response, { jsonrpc: '2.0', id: message['id'], result });
    };
    const response = await fetch(
      on.url,
      modernRequest('resources/read', { uri: 'x://y' }, { token: on.token }),
    );
    expect(await response.json()).toMatchObject({ result: { cacheScope: 'private', ttlMs: 60_000 } });
  });

  it('an answer that is not JSON is a fault of the server', async () => {
    on.reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a secret of the server');
    };
    const response = await fetch(on.url, modernRequest('prompts/list', {}, { token: on.token }));
    expect(response.status).toBe(502);
  });

  it('headers that only route in the modern era do not go on with a message of another', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call };
    await fetch(on.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${on.token}`,
        'mcp-name': 'forbidden-tool',
        'mcp-method': 'tools/call',
      },
      body: JSON.stringify(body),
    });
    const [seen] = on.upstream.seen.filter(({ message }) => message['method'] === 'tools/call');
    expect(seen?.headers).not.toHaveProperty('mcp-name');
    expect(seen?.headers).not.toHaveProperty('mcp-method');
  });
});
