import { CoazError } from './coaz-error.js';
import { type CoazInput, mapCoazRequest } from './coaz-mcp.js';

const token = { sub: 'alice', client_id: 'agent-1', aud: 'https://mcp.example/files', roles: ['treasury'] };
const call = (change: Partial<CoazInput> = {}): CoazInput => ({
  method: 'tools/call',
  params: { name: 'get_customer', arguments: { id: 'c-1', amount: 20_000 } },
  token,
  ...change,
});
const declared = (evaluation: object) => call({ declared: { evaluation } });
const complete = { action: { name: 'get' }, resource: { type: 'customer', id: '$params.arguments.id' } };

function codeOf(input: CoazInput): number | undefined {
  try {
    mapCoazRequest(input);
  } catch (error) {
    return error instanceof CoazError ? error.code : undefined;
  }
  return 0;
}

describe('default mappings', () => {
  it('put a call of a tool as the draft says', () => {
    expect(mapCoazRequest(call())).toEqual({
      kind: 'evaluation',
      request: {
        subject: { type: 'identity', id: 'alice' },
        context: { agent: 'agent-1' },
        action: { name: 'tools/call' },
        resource: { type: 'tool', id: 'get_customer' },
      },
    });
  });

  it.each([
    ['initialize', { protocolVersion: '2025-11-25' }, { type: 'mcp_server', id: token.aud }],
    ['tools/list', {}, { type: 'mcp_server', id: token.aud }],
    ['resources/read', { uri: 'file:///x' }, { type: 'resource', id: 'file:///x' }],
    ['prompts/get', { name: 'p' }, { type: 'prompt', id: 'p' }],
    ['tasks/cancel', { taskId: 't' }, { type: 'task', id: 't' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, { type: 'prompt', id: 'p' }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'u' } }, { type: 'resource', id: 'u' }],
    ['logging/setLevel', { level: 'debug' }, { type: 'mcp_server', id: token.aud }],
  ])('%s of %j is about %j', (method, params, resource) => {
    expect(mapCoazRequest(call({ method, params }))).toMatchObject({
      request: { action: { name: method }, resource },
    });
  });

  it('leave an absent client out', () => {
    const { client_id: _, ...claims } = token;
    expect(mapCoazRequest(call({ token: claims }))).toMatchObject({ request: { context: {} } });
  });

  it('know one server of several audiences only when told which it is', () => {
    const many = { ...token, aud: ['https://a.example', 'https://b.example'] };
    const list = { method: 'tools/list', params: {}, token: many };
    expect(codeOf(call(list))).toBe(-32602);
    expect(codeOf(call({ ...list, serverResource: 'https://c.example' }))).toBe(-32602);
    expect(mapCoazRequest(call({ ...list, serverResource: 'https://b.example' }))).toMatchObject({
      request: { resource: { id: 'https://b.example' } },
    });
  });

  it.each(['ping', 'notifications/initialized'])('pass %s', (method) => {
    expect(mapCoazRequest(call({ method }))).toEqual({ kind: 'pass' });
  });

  it.each(['server/discover', 'tools/destroy', 'constructor', '__proto__', 'sampling/createMessage'])(
    'deny %s',
    (method) => {
      expect(codeOf(call({ method }))).toBe(-32001);
    },
  );

  it.each([{ params: undefined }, { params: {} }, { token: {} }, { token: { sub: 7 } }])(
    'cannot be applied to %j',
    (change) => {
      expect(codeOf(call(change))).toBe(-32602);
    },
  );
});

describe('declared mappings', () => {
  it('are filled in: expressions, literals, escapes, optional selection', () => {
    const answer = mapCoazRequest(
      declared({
        ...complete,
        subject: {
          type: "$token.roles.exists(r, r == 'treasury') ? 'treasury_user' : 'user'",
          id: '$token.sub',
        },
        context: {
          sensitivity: "$params.arguments.amount > 10000 ? 'high' : 'standard'",
          price: '$$50',
          literal: 'token.sub',
          count: 10,
          nothing: '$params.arguments.?region',
          sum: '$1 + 2',
          whole: '$params.arguments',
        },
      }),
    );
    expect(answer).toEqual({
      kind: 'evaluation',
      request: {
        ...complete,
        subject: { type: 'treasury_user', id: 'alice' },
        resource: { type: 'customer', id: 'c-1' },
        context: {
          sensitivity: 'high',
          price: '$50',
          literal: 'token.sub',
          count: 10,
          sum: 3,
          whole: { id: 'c-1', amount: 20_000 },
        },
      },
    });
  });

  it('are for calls of tools only', () => {
    const mapping = { evaluation: { ...complete, action: { name: 'other' } } };
    expect(mapCoazRequest(call({ method: 'tools/list', declared: mapping }))).toMatchObject({
      request: { action: { name: 'tools/list' } },
    });
  });

  it('make several evaluations of one call, for one subject', () => {
    const items = ['read', 'write'].map((name) => ({ ...complete, action: { name } }));
    const mapping = {
      evaluations: { evaluations: items, options: { evaluations_semantic: 'permit_on_first_permit' } },
    };
    const answer = mapCoazRequest(call({ declared: mapping }));
    expect(answer).toMatchObject({
      kind: 'evaluations',
      request: {
        subject: { id: 'alice' },
        evaluations: [{ action: { name: 'read' } }, { action: { name: 'write' } }],
      },
    });
    // A semantic of the server's choice could make one permit enough.
    expect(answer).not.toHaveProperty('request.options');
  });

  it.each<[string, unknown]>([
    ['names somebody else', { evaluation: { ...complete, subject: { id: 'bob' } } }],
    [
      'takes the person from an argument',
      { evaluation: { ...complete, subject: { id: '$params.arguments.id' } } },
    ],
    [
      'hides a subject in an item',
      { evaluations: { evaluations: [{ ...complete, subject: { type: 'user', id: 'bob' } }] } },
    ],
    ['asks for a preview', { evaluation: { ...complete, context: { preview: true } } }],
    ['has no items', { evaluations: { evaluations: [] } }],
    ['has two envelopes', { evaluation: complete, evaluations: {} }],
    ['has none', { ...complete }],
    ['is a text', 'evaluation'],
    ['is null', null],
    ['lacks a resource', { evaluation: { action: { name: 'x' } } }],
    [
      'leaves the id to an absent argument',
      { evaluation: { ...complete, resource: { type: 'x', id: '$params.?y' } } },
    ],
    [
      'selects what is not there',
      { evaluation: { ...complete, context: { x: '$params.arguments.region' } } },
    ],
    ['is not CEL', { evaluation: { ...complete, context: { x: '$((' } } }],
    ['reaches for a prototype', { evaluation: { ...complete, context: { x: '$params.__proto__' } } }],
    ['uses a variable that is not there', { evaluation: { ...complete, context: { x: '$process' } } }],
    ['uses a regular expression', { evaluation: { ...complete, context: { x: "$'a'.matches('(a+)+$')" } } }],
    ['hides one behind a comment', { evaluation: { ...complete, context: { x: "$'a'.matches//\n('a')" } } }],
    ['makes a duration', { evaluation: { ...complete, context: { x: "$duration('1s')" } } }],
    ['makes a number past 2^53', { evaluation: { ...complete, context: { x: '$9007199254740993' } } }],
    ['is too long', { evaluation: { ...complete, context: { x: `$${'1+'.repeat(3000)}1` } } }],
    [
      'loops in loops in loops',
      { evaluation: { ...complete, context: { x: '$[1].map(a, [1].map(b, [1].map(c, a)))' } } },
    ],
    [
      'is nested too deeply',
      { evaluation: { ...complete, context: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) } },
    ],
  ])('are refused when one %s', (_, mapping) => {
    expect(codeOf(call({ declared: mapping }))).toBe(-32602);
  });

  it('keep __proto__ an ordinary name', () => {
    const mapping = { evaluation: { ...complete, context: JSON.parse('{"__proto__":{"x":"$token.sub"}}') } };
    const answer = mapCoazRequest(call({ declared: mapping }));
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(answer.kind).toBe('evaluation');
  });

  it('may name the person by another claim, which the deployment chooses', () => {
    const answer = mapCoazRequest(
      call({ token: { ...token, user: 'carol' }, subjectClaim: 'user', declared: { evaluation: complete } }),
    );
    expect(answer).toMatchObject({ request: { subject: { type: 'identity', id: 'carol' } } });
  });
});
