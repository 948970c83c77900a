import { toStruct } from '@behalf/policy-dialects';
import fc from 'fast-check';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dialectSettings } from './ask-dialects.js';
import { type GrpcClients, grpcClients } from './grpc-client.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const resource = 'https://mcp.example/everything';
/** One person may do everything, and asks for nothing here: whatever is allowed was a mistake. */
const policies = `permit (principal == User::"root", action, resource);`;

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const nasty: Record<string, string> = {
  'deep nesting': deep(100),
  'very deep nesting': deep(100_000),
  'a number past 2^53': '9007199254740993',
  'a number past 2^63': '9223372036854775808',
  'a number past every double': '1e400',
  NaN: 'NaN',
  'a lone surrogate': '"\\ud800"',
  'a lone surrogate as a name': '{"\\udfff":1}',
  'a repeated name': '{"a":1,"a":2}',
};
const prototypes: Record<string, string> = {
  __proto__: '{"__proto__":{"sub":"root","id":"root"}}',
  constructor: '{"constructor":{"prototype":{"id":"root"}}}',
  'an entity in disguise': '{"__entity":{"type":"User","id":"root"}}',
  'an extension in disguise': '{"__extn":{"fn":"decimal","arg":"x"}}',
};

/** Every JSON dialect over HTTP, with a hole where the arguments are. */
const withArguments: Record<string, object> = {
  '/access/v1/evaluation': {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
    context: { arguments: '@' },
  },
  '/access/v1/enforce': {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
    context: { arguments: { deeper: '@' } },
  },
  '/access/v1/evaluations': {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    evaluations: [{ resource: { type: 'tool', id: 'echo' }, context: { arguments: '@' } }],
  },
  '/access/v1/search/action': {
    subject: { type: 'user', id: 'alice' },
    resource: { type: 'tool', id: 'echo' },
    context: { arguments: '@' },
  },
  '/decision': {
    principal: { sub: 'alice' },
    operation: 'mcp:tool:call',
    resource: 'mrn:mcp:everything:tool:echo',
    context: { mcp: { args: '@' } },
  },
  '/v1/data/mcp': {
    input: {
      subject: { email: 'alice' },
      action: 'tools.invoke',
      resource: { type: 'tool', id: 'echo', server: 'everything' },
      context: { arguments: '@' },
    },
  },
  '/v1/authorize': {
    principal: { type: 'User', id: 'alice' },
    action: { type: 'Action', id: 'tools/call' },
    resource: { type: 'Tool', id: 'everything/echo' },
    context: { arguments: '@' },
    entities: [],
  },
};
const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: '@' } };
const fill = (template: object, fragment: string) => JSON.stringify(template).replace('"@"', () => fragment);

let folder: string;
let service: PolicyService;
let grpc: GrpcClients;
let authorization: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-bad-input-'));
  await cp('deploy/demo/policies/schema.cedarschema', join(folder, 'schema.cedarschema'));
  await writeFile(join(folder, 'root.cedar'), policies);
  service = await startPolicyService({
    allowUnauthenticatedLoopback: true,
    policies: folder,
    settings: dialectSettings,
  });
  grpc = grpcClients(service.grpcPort ?? 0);
  authorization = `Bearer ${await service.sign({ sub: 'alice', aud: resource })}`;
});
afterAll(async () => {
  grpc.close();
  await service.close();
  await rm(folder, { recursive: true });
});

/** The answer, and whether anything in it allows. */
async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await response.text();
  const saysYes = /"decision":(true|"Allow")|"allow":true|"result":true|"results":\[\{/.test(text);
  const byStatus = path.startsWith('/ext-authz') || path.endsWith('/enforce');
  return { status: response.status, text, allowed: saysYes || (byStatus && response.status === 200) };
}
const proxied = (body: string) => post('/ext-authz/mcp/everything', body, { authorization });
const extMcp = (params: string, metadata: object = { sub: 'alice' }) =>
  grpc.checkRequest({
    service_names: ['everything'],
    method: 'tools/call',
    metadata_context: toStruct(metadata),
    mcp_request: Buffer.from(params),
  });
const envoy = (body: string, jwt_payload: object = { sub: 'alice', aud: resource }) =>
  grpc.check({
    attributes: {
      request: { http: { method: 'POST', path: '/mcp/everything', body } },
      metadata_context: { filter_metadata: { 'envoy.filters.http.jwt_authn': toStruct({ jwt_payload }) } },
    },
  });

describe.each(Object.entries(nasty))('%s', (_, fragment) => {
  it.each(Object.entries(withArguments))('is an error of the call at %s', async (path, template) => {
    const { status, text } = await post(path, fill(template, fragment));
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { error: { status: 400, message: expect.any(String) } },
    ]);
  });

  it('is denied as malformed over ExtMcp and ext_authz', async () => {
    const request = await extMcp(fill(message.params, fragment));
    expect([request.result, request.error.code]).toEqual(['error', 3]);
    const checked = await envoy(fill(message, fragment));
    expect([checked.status.code, JSON.parse(checked.denied_response.body).error.code]).toEqual([7, -32600]);
    const { status, text } = await proxied(fill(message, fragment));
    expect([status, JSON.parse(text).error.code]).toEqual([403, -32600]);
  });
});

describe.each(Object.entries(prototypes))('%s', (_, fragment) => {
  it('allows nobody anything, in any dialect', async () => {
    for (const [path, template] of Object.entries(withArguments))
      expect([path, (await post(path, fill(template, fragment))).allowed]).toEqual([path, false]);
    expect((await extMcp(fill(message.params, fragment))).result).toBe('error');
    expect((await envoy(fill(message, fragment))).status.code).toBe(7);
    expect((await proxied(fill(message, fragment))).status).toBe(403);
  });
});

describe('a megabyte of arguments', () => {
  const large = JSON.stringify({ text: 'x'.repeat(1024 * 1024) });
  it.each(Object.entries(withArguments).filter(([path]) => !path.endsWith('evaluations')))(
    'is 413 at %s',
    async (path, template) => {
      expect((await post(path, fill(template, large))).status).toBe(413);
    },
  );

  it('is refused over ExtMcp and ext_authz', async () => {
    expect((await extMcp(fill(message.params, large))).error.code).toBe(3);
    expect((await envoy(fill(message, large))).status.code).toBe(7);
    expect((await proxied(fill(message, large))).status).toBe(403);
  });
});

it.each([NaN, Infinity, 2 ** 53, -(2 ** 63)])('refuses metadata with %p in it', async (number) => {
  const metadata = { sub: 'alice', x: number };
  const request = await extMcp(fill(message.params, '{}'), metadata);
  expect([request.result, request.error.code]).toEqual(['error', 3]);
  const checked = await envoy(fill(message, '{}'), { ...metadata, aud: resource });
  expect([checked.status.code, checked.http_response]).toEqual([7, 'denied_response']);
});

describe('requests broken at random', () => {
  const fragments = fc.oneof(
    fc.constantFrom(...Object.values(nasty).filter((one) => one.length < 1000), ...Object.values(prototypes)),
    fc.constantFrom('null', 'true', '0', '-1.5', '""', '[]', '{}', '"alice"', '"mcp_server"', '"*"'),
    fc.json({ maxDepth: 3 }),
  );
  const cuts = fc.record({ at: fc.nat(), fragment: fragments, cutTo: fc.option(fc.nat(), { freq: 10 }) });

  /** Replaces one value of the request, anywhere in it, and now and then cuts the text. */
  function breakRequest(
    template: object,
    { at, fragment, cutTo }: { at: number; fragment: string; cutTo: number | null },
  ) {
    const places: [Record<string, unknown>, string][] = [];
    const copy = JSON.parse(fill(template, '{"a":1}')) as Record<string, unknown>;
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        places.push([node as Record<string, unknown>, key]);
        walk(value);
      }
    };
    walk(copy);
    const [node, key] = places[at % places.length] ?? [copy, ''];
    node[key] = '@';
    const text = fill(copy, fragment);
    return cutTo === null ? text : text.slice(0, cutTo % text.length);
  }
  const bounded = { numRuns: 60, seed: 20261123 };

  it.each(Object.entries(withArguments))('neither break %s nor are allowed', async (path, template) => {
    await fc.assert(
      fc.asyncProperty(cuts, async (cut) => {
        const { status, allowed } = await post(path, breakRequest(template, cut));
        expect([200, 400, 403, 413]).toContain(status);
        expect(allowed).toBe(false);
      }),
      bounded,
    );
  });

  it('neither break the MCP dialects nor are allowed', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, async (cut) => {
        expect((await extMcp(breakRequest(message.params, cut))).result).toBe('error');
        const body = breakRequest(message, cut);
        expect((await envoy(body)).http_response).toBe('denied_response');
        expect([401, 403, 413]).toContain((await proxied(body)).status);
      }),
      bounded,
    );
    expect(await grpc.health({})).toEqual({ status: 1 });
  });

  it('are no notification that a proxy would let through with a call in it', async () => {
    for (const method of ['notifications/x', 'tools/call']) {
      const { id: _, ...rest } = message;
      const { status } = await proxied(fill({ ...rest, method }, '{}'));
      expect([method, status]).toEqual([method, method === 'tools/call' ? 403 : 200]);
    }
  });
});
