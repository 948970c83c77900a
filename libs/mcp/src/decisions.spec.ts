import { evaluationSchema, evaluationsRequestSchema } from '@behalf/contracts';
import {
  type ListDescription,
  type McpRequest,
  buildEvaluation,
  buildListEvaluation,
  deniedError,
  deniedToolResult,
  describeMethod,
  listedItems,
  markPrivate,
  sharedCapabilities,
  toLegacyRequest,
  toModernError,
  toModernResult,
  withAllowedItems,
} from './index.js';

const caller = {
  sub: 'alice',
  client_id: 'client',
  aud: 'https://gateway.example/mcp/files',
  scope: 'mcp:tools',
  groups: ['eng'],
  act: { sub: 'b', client_id: 'b', act: { sub: 'a' } },
};
const request = (method: string, params: McpRequest['params']): McpRequest => ({
  kind: 'request',
  id: 1,
  method,
  params,
});

describe('the question to the policy', () => {
  const ask = (method: string, params: McpRequest['params'] = {}) =>
    evaluationSchema.parse(
      buildEvaluation(caller, 'files', request(method, params), describeMethod(method, 'legacy')!),
    );

  it.each([
    [
      'tools/call',
      { name: 't', arguments: { a: 1 } },
      { type: 'tool', id: 't', properties: { server: 'files' } },
      { a: 1 },
    ],
    ['prompts/get', { name: 'p' }, { type: 'prompt', id: 'p', properties: { server: 'files' } }, {}],
    [
      'resources/read',
      { uri: 'x://y' },
      { type: 'resource_uri', id: 'x://y', properties: { server: 'files' } },
      { uri: 'x://y' },
    ],
    ['tools/list', { _meta: { traceparent: 't' } }, { type: 'mcp_server', id: 'files' }, {}],
    [
      'resources/subscribe',
      { uri: 'x://y' },
      { type: 'resource_uri', id: 'x://y', properties: { server: 'files' } },
      { uri: 'x://y' },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'p' } },
      { type: 'prompt', id: 'p', properties: { server: 'files' } },
      { ref: { type: 'ref/prompt', name: 'p' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'x://{y}' } },
      { type: 'resource_uri', id: 'x://{y}', properties: { server: 'files' } },
      { ref: { type: 'ref/resource', uri: 'x://{y}' } },
    ],
  ])('%s', (method, params, resource, args) => {
    const evaluation = ask(method, params);
    expect(evaluation).toMatchObject({
      subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
      action: { name: method },
      resource,
    });
    expect(evaluation.context?.['arguments']).toEqual(args);
  });

  it('RFC 9068 §5: is about an agent where a client calls for itself, and never about a person of that name', () => {
    const own = { ...caller, sub: 'reporter', client_id: 'reporter', act: undefined, groups: ['eng'] };
    const list = { usedBy: 'tools/call', resourceType: 'tool' } as ListDescription;
    const call = request('tools/call', { name: 't' });
    for (const { subject } of [
      buildEvaluation(own, 'files', call, describeMethod('tools/call', 'modern')!),
      buildListEvaluation(own, 'files', list, ['t']),
    ])
      expect(subject).toEqual({ type: 'agent', id: 'reporter' });
  });

  it('attack: an agent of another issuer has the name of one of ours', () => {
    const act = {
      sub: 'agent',
      iss: 'https://idp.example',
      act: { sub: 'b', client_id: 'c', iss: 'https://as.example' },
    };
    const list = { usedBy: 'tools/call', resourceType: 'tool' } as ListDescription;
    const method = describeMethod('tools/list', 'modern')!;
    for (const { context } of [
      buildEvaluation({ ...caller, act }, 'files', request('tools/list', {}), method),
      buildListEvaluation({ ...caller, act }, 'files', list, ['t']),
    ])
      expect(context?.['actors']).toEqual([
        { sub: 'agent', iss: 'https://idp.example' },
        { sub: 'b', client_id: 'c', iss: 'https://as.example' },
      ]);
  });

  it('names the actors, the current one first', () => {
    expect(ask('tools/list').context?.['actors']).toEqual([{ sub: 'b', client_id: 'b' }, { sub: 'a' }]);
  });

  it('for a list asks about using each item, without arguments', () => {
    const { tools } = { tools: listedItems({ tools: [{ name: 'x' }, { name: 'y' }] })[0]! };
    const question = evaluationsRequestSchema.parse(
      buildListEvaluation(caller, 'files', tools.list, tools.ids),
    );
    expect(question).toMatchObject({
      action: { name: 'tools/call' },
      evaluations: [{ resource: { id: 'x' } }, { resource: { id: 'y' } }],
    });
    expect(question.context).not.toHaveProperty('arguments');
  });
});

describe('lists', () => {
  it('keep what is allowed, in order; what has no name is left out', () => {
    const result = {
      tools: [{ name: 'a' }, {}, { name: 'b' }, 7, { name: '' }, { name: 'c' }],
      nextCursor: 'n',
    };
    const [listed] = listedItems(result);
    expect(listed?.ids).toEqual(['a', 'b', 'c']);
    expect(withAllowedItems(result, listed!, [true, false, true])).toEqual({
      tools: [{ name: 'a' }, { name: 'c' }],
      nextCursor: 'n',
    });
    // A decision that is missing is not a permit.
    expect(withAllowedItems(result, listed!, [])).toMatchObject({ tools: [] });
  });

  it('are private, whatever the server said', () => {
    expect(markPrivate({ cacheScope: 'public', ttlMs: 5 })).toEqual({ cacheScope: 'private', ttlMs: 5 });
    expect(markPrivate({})).toEqual({ cacheScope: 'private', ttlMs: 0 });
  });
});

describe('denials', () => {
  it('say that, and which decision, and nothing else', () => {
    expect(deniedToolResult('modern', 'd1')).toEqual({
      resultType: 'complete',
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('d1') }],
      _meta: { 'behalf/decision': { id: 'd1' } },
    });
    expect(deniedToolResult('legacy', undefined)).not.toHaveProperty('resultType');
    expect(deniedError('d1')).toMatchObject({ code: 403, data: { 'behalf/decision': { id: 'd1' } } });
  });
});

describe('the bridge between the eras', () => {
  const server = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's' } };

  it('takes the envelope off', () => {
    const modern = request('tools/call', {
      name: 't',
      requestState: 's',
      inputResponses: {},
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', progressToken: 1 },
    });
    expect(toLegacyRequest(modern).params).toEqual({ name: 't', _meta: { progressToken: 1 } });
  });

  it('completes results', () => {
    expect(toModernResult('tools/call', { content: [], _meta: { own: 1 } }, server)).toEqual({
      content: [],
      resultType: 'complete',
      _meta: { own: 1, 'io.modelcontextprotocol/serverInfo': { name: 's' } },
    });
    expect(toModernResult('resources/read', {}, server)).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
  });

  it('promises nothing that needs a session of one’s own', () => {
    const capabilities = {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
      tasks: {},
    };
    expect(sharedCapabilities(capabilities)).toEqual({ tools: {}, resources: {} });
  });

  it.each([
    [-32002, -32602, 200],
    [-32042, -32603, 200],
    [-32601, -32601, 404],
    [7, 7, 200],
  ])('error %i becomes %i with status %i', (code, modern, status) => {
    expect(toModernError({ code, message: 'm' })).toMatchObject({ code: modern, status });
  });
});
