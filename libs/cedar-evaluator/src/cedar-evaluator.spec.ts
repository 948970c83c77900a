import { CedarEvaluator, PolicyNotCompiled, UnreadableInput } from './index.js';
import type { ExpressionJson, PolicyJson } from './policy-json.js';

const any = { op: 'All' } as const;
const alice = { type: 'User', id: 'alice' };
const request = {
  principal: alice,
  action: { type: 'Action', id: 'read' },
  resource: { type: 'Doc', id: 'd' },
  context: {},
  entities: [],
};
const policy = (body: ExpressionJson, more: Partial<PolicyJson> = {}): PolicyJson => ({
  effect: 'permit',
  principal: any,
  action: any,
  resource: any,
  conditions: [{ kind: 'when', body }],
  ...more,
});
const value = (json: unknown): ExpressionJson => ({ Value: json });
const evaluate = (body: ExpressionJson, change: object = {}) => {
  const answer = new CedarEvaluator([{ id: 'p', json: policy(body) }]).evaluate({ ...request, ...change });
  return answer.erring.length > 0 ? 'errs' : answer.decision === 'allow';
};
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

// What operators mean is held to cedar-wasm by the differential test; here is what that cannot ask.
describe('CedarEvaluator', () => {
  it.each<[string, object]>([
    ['null', { context: { a: null } }],
    ['a fraction', { context: { a: 1.5 } }],
    ['a number that may have been rounded', { context: { a: 2 ** 53 } }],
    ['NaN', { context: { a: Number.NaN } }],
    ['an integer past 64 bits', { context: { a: 2n ** 63n } }],
    ['a lone surrogate', { context: { a: '\ud800' } }],
    ['a lone surrogate in a name', { context: { '\ud800': 1 } }],
    ['a lone surrogate in an id', { principal: { type: 'User', id: '\ud800' } }],
    ['a type that is no name', { principal: { type: 'User"', id: 'a' } }],
    ['a reserved type', { principal: { type: 'A::__cedar', id: 'a' } }],
    ['a malformed decimal', { context: { a: { __extn: { fn: 'decimal', arg: '1' } } } }],
    ['an unknown function', { context: { a: { __extn: { fn: 'constructor', arg: '1' } } } }],
    ['an escape with something beside it', { context: { a: { __entity: alice, b: 1 } } }],
    ['the escape that Cedar removed', { context: { a: { __expr: '1' } } }],
    ['nesting of 10,000', { context: { a: nested(5000) } }],
    ['a context that is a list', { context: [] }],
    ['an entity twice', { entities: [1, 2].map(() => ({ uid: alice, attrs: {}, parents: [] })) }],
    ['an entity within itself', { entities: [{ uid: alice, attrs: {}, parents: [alice] }] }],
    ['an entity without parents', { entities: [{ uid: alice, attrs: {} }] }],
  ])('refuses %s', (_, change) => {
    expect(() => evaluate(value(true), change)).toThrow(UnreadableInput);
  });

  it('keeps names of prototypes apart from what objects inherit', () => {
    const has = (attr: string) => ({ has: { left: { Var: 'context' }, attr } });
    expect(evaluate(has('constructor'))).toBe(false);
    expect(evaluate(has('__proto__'))).toBe(false);
    expect(evaluate(has('__proto__'), { context: JSON.parse('{"__proto__": 1}') })).toBe(true);
  });

  it('computes past the exact numbers of JavaScript, and errs past 64 bits', () => {
    const add = (left: unknown, right: unknown) => ({ '+': { left: value(left), right: value(right) } });
    const equals = (left: ExpressionJson, right: unknown) => ({ '==': { left, right: value(right) } });
    expect(evaluate(equals(add(Number.MAX_SAFE_INTEGER, 2), 2n ** 53n + 1n))).toBe(true);
    expect(evaluate(equals(add(2n ** 63n - 1n, 1), 0))).toBe('errs');
  });

  it('matches a pattern of many wildcards against a long text in one pass', () => {
    const pattern = Array.from({ length: 40 }, () => ['Wildcard', { Literal: 'a' }] as const).flat();
    const left = { '.': { left: { Var: 'context' }, attr: 'text' } };
    const like = { like: { left, pattern: [...pattern, { Literal: 'b' }] } };
    expect(evaluate(like, { context: { text: 'a'.repeat(200_000) } })).toBe(false);
  });

  it('compares large sets in time that grows with their sizes', () => {
    const set = Array.from({ length: 20_000 }, (_, index) => ({ __entity: { type: 'T', id: `${index}` } }));
    const [left, right] = ['a', 'b'].map((attr) => ({ '.': { left: { Var: 'context' }, attr } }));
    expect(evaluate({ '==': { left, right } }, { context: { a: set, b: set.toReversed() } })).toBe(true);
  });

  it.each<[string, PolicyJson]>([
    ['an unknown operator', policy({ xor: { left: value(1), right: value(1) } })],
    ['an unknown function', policy({ toString: [value(1)] })],
    ['a slot that is not filled', policy(value(true), { principal: { op: '==', slot: '?principal' } })],
    ['an expression of two operators', policy({ Value: 1, Var: 'context' })],
    [
      'expressions nested past any stack',
      policy(
        Array(5000)
          .fill(0)
          .reduce<ExpressionJson>((arg) => ({ '!': { arg } }), value(true)),
      ),
    ],
  ])('compiles no policy with %s', (_, json) => {
    expect(() => new CedarEvaluator([{ id: 'p', json }])).toThrow(PolicyNotCompiled);
  });

  it('names a policy once, however many of its actions the request is', () => {
    const [read, all] = ['read', 'all'].map((id) => ({ type: 'Action', id }));
    const json = policy(value(true), { action: { op: 'in', entities: [read!, all!] } });
    const entities = [{ uid: read, attrs: {}, parents: [all] }];
    expect(new CedarEvaluator([{ id: 'p', json }], entities).evaluate(request).determining).toEqual(['p']);
  });

  it('lets a request put a group of the policies within another', () => {
    const [eng, staff] = ['eng', 'staff'].map((id) => ({ type: 'Team', id }));
    const json = policy(value(true), { principal: { op: 'in', entity: staff! } });
    const evaluator = new CedarEvaluator([{ id: 'p', json }], [{ uid: alice, attrs: {}, parents: [eng] }]);
    expect(evaluator.evaluate(request).decision).toBe('deny');
    const entities = [{ uid: eng, attrs: {}, parents: [staff] }];
    expect(evaluator.evaluate({ ...request, entities }).decision).toBe('allow');
  });

  it('matches a pattern made to backtrack against a text made for it, in one pass', () => {
    const wildcards = Array.from({ length: 2000 }, () => ['Wildcard', { Literal: 'a' }]).flat();
    const matches = (text: string) =>
      evaluate(
        {
          like: {
            left: { '.': { left: { Var: 'context' }, attr: 'text' } },
            pattern: [...wildcards, 'Wildcard', { Literal: 'b' }],
          },
        },
        { context: { text } },
      );
    const long = 'a'.repeat(1_000_000);
    expect([matches(long), matches(`${long}b`)]).toEqual([false, true]);
  });
});
