import type { Evaluation } from '@behalf/contracts';
import { buildCedarRequest } from './build-cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';

const call: Evaluation = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'read_file', properties: { server: 'files' } },
};
const build = (change: Partial<Evaluation>) =>
  buildCedarRequest({ ...call, ...change }, { ownIssuer: 'https://as.example' });

describe('buildCedarRequest', () => {
  it('maps a tool call by a person through two agents', () => {
    const request = build({
      subject: { type: 'identity', id: 'alice', properties: { groups: ['eng'], level: 3 } },
      context: {
        actors: [
          { sub: 'gateway', client_id: 'gw' },
          { sub: 'agent', iss: 'https://as.example' },
        ],
        arguments: { path: '/a' },
        scope: 'files:read files:write',
        aud: 'https://mcp.example/files',
        client_id: 'gw',
        risk: 7,
      },
    });
    expect(request).toEqual({
      principal: { type: 'User', id: 'alice' },
      action: { type: 'Action', id: 'tools/call' },
      resource: { type: 'Tool', id: 'files/read_file' },
      context: {
        actor: { __entity: { type: 'Agent', id: 'gateway' } },
        actors: [
          { __entity: { type: 'Agent', id: 'gateway' } },
          { __entity: { type: 'Agent', id: 'agent' } },
        ],
        depth: 2,
        arguments: { path: '/a' },
        scope: ['files:read', 'files:write'],
        aud: ['https://mcp.example/files'],
        client_id: 'gw',
        risk: 7,
      },
      entities: [
        { uid: { type: 'User', id: 'alice' }, attrs: { level: 3 }, parents: [{ type: 'Team', id: 'eng' }] },
        { uid: { type: 'Agent', id: 'gateway' }, attrs: { sub: 'gateway', client_id: 'gw' }, parents: [] },
        {
          uid: { type: 'Agent', id: 'agent' },
          attrs: { sub: 'agent', iss: 'https://as.example' },
          parents: [],
        },
        {
          uid: { type: 'Tool', id: 'files/read_file' },
          attrs: { name: 'read_file', server: 'files' },
          parents: [{ type: 'McpServer', id: 'files' }],
        },
      ],
    });
  });

  it.each([
    ['tool', 'echo', { server: 'everything' }, 'Tool', 'everything/echo'],
    ['tool', 'echo', undefined, 'Tool', 'echo'],
    ['tool', 'a/b', { server: 's' }, 'Tool', 's/a/b'],
    ['prompt', 'p', { server: 's' }, 'Prompt', 's/p'],
    ['resource_uri', 'file:///a', { server: 's' }, 'ResourceUri', 's/file:///a'],
    ['resource_uri', 'file:///a', undefined, 'ResourceUri', 'file:///a'],
    ['mcp_server', 's', undefined, 'McpServer', 's'],
    ['audience', 'https://a.example', undefined, 'Audience', 'https://a.example'],
  ])('maps a resource of type %s, id %s, %j to %s::"%s"', (type, id, properties, cedarType, cedarId) => {
    const { resource } = build({ resource: { type, id, ...(properties && { properties }) } });
    expect(resource).toEqual({ type: cedarType, id: cedarId });
  });

  it('keeps a tool apart from its namesake on another server', () => {
    const on = (server: string) =>
      build({ resource: { type: 'tool', id: 'echo' }, context: { server } }).resource.id;
    expect(on('one')).not.toBe(on('two'));
  });

  it('does not take an agent of another issuer for ours', () => {
    const { context } = build({ context: { actors: [{ sub: 'agent', iss: 'https://evil.example' }] } });
    expect(context['actor']).toEqual({ __entity: { type: 'Agent', id: 'https://evil.example#agent' } });
  });

  it('does not let the caller set what is derived', () => {
    const { context } = build({ context: { actor: 'x', depth: 0, action: 'y', actors: [{ sub: 'a' }] } });
    expect(context).toMatchObject({ actor: { __entity: { type: 'Agent', id: 'a' } }, depth: 1 });
    expect(context).not.toHaveProperty('action');
  });

  it('lists an actor that acts twice once', () => {
    const { entities } = build({ context: { actors: [{ sub: 'a' }, { sub: 'b' }, { sub: 'a' }] } });
    expect(entities.map((entity) => entity.uid.id)).toEqual(['alice', 'a', 'b', 'files/read_file']);
  });

  it.each<[string, Partial<Evaluation>]>([
    ['an unknown subject type', { subject: { type: 'robot', id: 'r2' } }],
    ['a subject type that is a prototype name', { subject: { type: 'constructor', id: 'x' } }],
    ['an unknown resource type', { resource: { type: 'record', id: '1' } }],
    ['a resource type that is a prototype name', { resource: { type: '__proto__', id: '1' } }],
    ['groups that are not names', { subject: { type: 'user', id: 'a', properties: { groups: [1] } } }],
    ['a server name with a slash', { resource: { type: 'tool', id: 'c', properties: { server: 'a/b' } } }],
    ['a server name with a colon', { resource: { type: 'tool', id: 'c', properties: { server: 'file:' } } }],
    ['an id that passes for a tool on a server', { resource: { type: 'tool', id: 'files/read_file' } }],
    ['two servers that disagree', { context: { server: 'other' } }],
    ['actors that are no chain', { context: { actors: [{ client_id: 'x' }] } }],
    [
      'a chain that is too deep',
      { context: { actors: Array.from({ length: 6 }, (_, i) => ({ sub: `a${i}` })) } },
    ],
    ['arguments that are a list', { context: { arguments: [] } }],
    ['a scope that is a number', { context: { scope: 1 } }],
    [
      'an entity smuggled in as an argument',
      { context: { arguments: { team: { __entity: { type: 'Team', id: 'eng' } } } } },
    ],
  ])('refuses %s', (_, change) => {
    expect(() => build(change)).toThrow(InvalidEvaluation);
  });
});

describe('arguments that nobody has seen', () => {
  it('leaves them out instead of saying that there are none', () => {
    const { context } = buildCedarRequest({
      subject: { type: 'user', id: 'alice' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
      context: { arguments_unknown: true, arguments: { a: 1 } },
    });
    expect(context).not.toHaveProperty('arguments');
    expect(context).not.toHaveProperty('arguments_unknown');
  });
});

describe('declared resource types', () => {
  const record = (type: string) => ({
    subject: { type: 'user', id: 'alice' },
    action: { name: 'read' },
    resource: { type, id: 'record-1' },
  });

  it('stand by themselves under the Cedar type that is declared', () => {
    const { resource } = buildCedarRequest(record('record'), { resourceTypes: { record: 'Record' } });
    expect(resource).toEqual({ type: 'Record', id: 'record-1' });
  });

  it.each(['record', 'constructor', '__proto__'])('refuses %s when it is not declared', (type) => {
    expect(() => buildCedarRequest(record(type), { resourceTypes: {} })).toThrow(InvalidEvaluation);
  });
});
