import { toStruct } from '@behalf/policy-dialects';
import { dialectSettings } from './ask-dialects.js';
import { type GrpcClients, grpcClients } from './grpc-client.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const resource = 'https://mcp.example/everything';
const jwt = (claims: object = {}) => ({
  'envoy.filters.http.jwt_authn': toStruct({ jwt_payload: { sub: 'alice', aud: resource, ...claims } }),
});
const message = (name: string, args: unknown = {}) => ({
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name, arguments: args },
});
const routing = {
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
};

let service: PolicyService;
let grpc: GrpcClients;
beforeAll(async () => {
  const { backends, ...settings } = dialectSettings;
  service = await startPolicyService({
    allowUnauthenticatedLoopback: true,
    settings: {
      ...settings,
      backends: { ...backends, lax: { resource: 'https://mcp.example/lax', path: '/mcp/lax' } },
    },
  });
  grpc = grpcClients(service.grpcPort ?? 0);
});
afterAll(async () => {
  grpc.close();
  await service.close();
});

describe('Envoy ext_authz over gRPC', () => {
  const ask = (http: object, filter_metadata: object = jwt(), context_extensions: object = {}) =>
    grpc.check({
      attributes: {
        request: { http: { method: 'POST', path: '/mcp/everything', host: 'gw.example:443', ...http } },
        context_extensions,
        metadata_context: { filter_metadata },
      },
    });
  const body = (value: unknown) => ({ body: JSON.stringify(value) });
  const codeOf = async (...question: Parameters<typeof ask>) => (await ask(...question)).status.code;

  it('allows, and names the decision', async () => {
    const answer = await ask(body(message('echo')));
    expect(answer.status.code).toBe(0);
    expect(answer.http_response).toBe('ok_response');
    expect(answer.dynamic_metadata.fields.decision_id.stringValue).toBe(
      service.audit.records.at(-1)?.decisionId,
    );
  });

  it('denies with a JSON-RPC error for the client', async () => {
    const answer = await ask(body(message('get-env')));
    const decisionId = service.audit.records.at(-1)?.decisionId;
    expect(answer.status.code).toBe(7);
    expect(answer.denied_response.status.code).toBe(403);
    expect(answer.denied_response.headers[0].header).toMatchObject({
      key: 'content-type',
      value: 'application/json',
    });
    expect(JSON.parse(answer.denied_response.body)).toEqual({
      jsonrpc: '2.0',
      id: 2,
      error: { code: -32001, message: 'denied', data: { decisionId } },
    });
    expect(answer.dynamic_metadata.fields.decision_id.stringValue).toBe(decisionId);
  });

  it('reads a body in bytes, and headers that came as a list', async () => {
    expect(await codeOf({ raw_body: Buffer.from(JSON.stringify(message('echo'))) })).toBe(0);
    const headers = Object.entries(routing).map(([key, value]) => ({ key, raw_value: Buffer.from(value) }));
    expect(await codeOf({ header_map: { headers } })).toBe(0);
    expect(await codeOf({ header_map: { headers: [...headers, headers[2]] } })).toBe(7);
  });

  it('believes metadata first, and refuses a body that differs', async () => {
    const mcp = (name: string) => ({
      ...jwt(),
      mcp_proxy: toStruct({ method: 'tools/call', params: { name } }),
    });
    expect(await codeOf({}, mcp('echo'))).toBe(0);
    expect(await codeOf({}, mcp('get-env'))).toBe(7);
    expect(await codeOf(body(message('echo')), mcp('echo'))).toBe(0);
    expect(await codeOf(body(message('get-env')), mcp('echo'))).toBe(7);
    expect(await codeOf(body(message('echo')), mcp('get-env'))).toBe(7);
  });

  it('refuses headers that differ from the body', async () => {
    expect(await codeOf({ ...body(message('get-sum')), headers: routing })).toBe(7);
    expect(await codeOf({ ...body(message('echo')), headers: routing })).toBe(0);
  });

  it('decides on headers only where the server checks them', async () => {
    // Lists are permitted on every server, so only the missing promise can deny.
    const listing = { headers: { ...routing, 'mcp-method': 'tools/list' } };
    const lax = { ...listing, path: '/mcp/lax' };
    expect(await codeOf(listing)).toBe(0);
    expect(await codeOf(lax, jwt({ aud: 'https://mcp.example/lax' }))).toBe(7);
  });

  it('RFC 9068 §5: takes an agent that calls for itself for an agent, not for one of the people', async () => {
    const prompt = body({ ...message('simple-prompt'), method: 'prompts/get' });
    expect(await codeOf(prompt, jwt({ client_id: 'robot' }))).toBe(0);
    expect(await codeOf(prompt, jwt({ sub: 'robot', client_id: 'robot' }))).toBe(7);
    // Its name is not a person's, even where a person has the same.
    expect(await codeOf(prompt, jwt({ client_id: 'alice' }))).toBe(7);
  });

  it('finds the server by the route before the path', async () => {
    expect(
      await codeOf(body(message('echo')), jwt({ aud: 'https://mcp.example/other' }), { server: 'other' }),
    ).toBe(7);
    expect(await codeOf({ ...body(message('echo')), path: '/elsewhere' })).toBe(7);
    expect(await codeOf({ ...body(message('echo')), path: '/mcp/everything/../lax' })).toBe(7);
  });

  it.each<[string, object, object, number]>([
    ['no person', body(message('echo')), {}, 16],
    ['a person of another server', body(message('echo')), jwt({ aud: 'https://mcp.example/files' }), 16],
    [
      'a body that was cut',
      { ...body(message('echo')), headers: { 'x-envoy-auth-partial-body': 'true' } },
      jwt(),
      7,
    ],
    [
      'a token bound to a DPoP key, whose proof nobody saw',
      body(message('echo')),
      jwt({ cnf: { jkt: 'k' } }),
      16,
    ],
    ['a token bound to a certificate', body(message('echo')), jwt({ cnf: { 'x5t#S256': 'c' } }), 16],
    ['a batch', body([message('echo')]), jwt(), 7],
    ['a call without an id', body({ ...message('echo'), id: undefined }), jwt(), 7],
    ['nothing to decide on', {}, jwt(), 7],
    [
      'an older revision without a body',
      { headers: { ...routing, 'mcp-protocol-version': '2025-11-25' } },
      jwt(),
      7,
    ],
    ['a method of HTTP that MCP does not speak', { ...body(message('echo')), method: 'PUT' }, jwt(), 7],
  ])('refuses %s', async (_, http, filters, code) => {
    expect(await codeOf(http, filters)).toBe(code);
  });

  it('lets notifications and answers through, for a person', async () => {
    const notification = body({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(await codeOf(notification)).toBe(0);
    expect(await codeOf(notification, {})).toBe(16);
    expect(await codeOf(body({ jsonrpc: '2.0', id: 1, result: {} }))).toBe(0);
  });

  it('verifies the token when Envoy has not', async () => {
    const authorization = `Bearer ${await service.sign({ sub: 'alice', aud: resource })}`;
    expect(await codeOf({ ...body(message('echo')), headers: { authorization } }, {})).toBe(0);
    expect(await codeOf({ ...body(message('echo')), headers: { authorization: 'Bearer x.y.z' } }, {})).toBe(
      16,
    );
  });
});

describe('Envoy ext_authz over HTTP', () => {
  const ask = async (path: string, init: RequestInit, aud = resource) => {
    const authorization = `Bearer ${await service.sign({ sub: 'alice', aud })}`;
    return fetch(`${service.url}${path}`, {
      method: 'POST',
      ...init,
      headers: { authorization, 'content-type': 'application/json', ...(init.headers as object) },
    });
  };
  const body = (name: string) => JSON.stringify(message(name));

  it('allows with 200 and denies with 403 and a body', async () => {
    const allowed = await ask('/ext-authz/mcp/everything', { body: body('echo') });
    expect([allowed.status, await allowed.text()]).toEqual([200, '']);
    expect(allowed.headers.get('x-behalf-decision')).toBe(service.audit.records.at(-1)?.decisionId);
    const denied = await ask('/ext-authz/mcp/everything', { body: body('get-env') });
    expect(denied.status).toBe(403);
    expect(await denied.json()).toMatchObject({ id: 2, error: { code: -32001 } });
  });

  it.each<[string, string, RequestInit, number]>([
    ['another server', '/ext-authz/mcp/unknown', { body: body('echo') }, 403],
    ['a token for another server', '/ext-authz/mcp/files', { body: body('echo') }, 401],
    ['no token', '/ext-authz/mcp/everything', { body: body('echo'), headers: { authorization: '' } }, 401],
    ['a token in the query', '/ext-authz/mcp/everything?access_token=x', { body: body('echo') }, 403],
    [
      'a body that was cut',
      '/ext-authz/mcp/everything',
      { body: body('echo'), headers: { 'x-envoy-auth-partial-body': 'true' } },
      403,
    ],
    ['no body and no headers', '/ext-authz/mcp/everything', {}, 403],
    ['the place behind the prefix', '/access/v1/ext-authz', { body: body('echo') }, 404],
  ])('refuses %s', async (_, path, init, status) => {
    expect((await ask(path, init)).status).toBe(status);
  });

  it('tells a client without a token where to get one', async () => {
    const { headers } = await ask('/ext-authz/mcp/everything', {
      body: body('echo'),
      headers: { authorization: '' },
    });
    expect(headers.get('www-authenticate')).toContain(
      'resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/everything"',
    );
  });
});
