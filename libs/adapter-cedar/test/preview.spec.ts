import type { Evaluation } from '@behalf/contracts';
import { type PolicyBundle, type PolicyEngine, decideEvaluation } from '@behalf/policy';
import fc from 'fast-check';
import { CedarWasmEngine } from '../src/cedar-wasm-engine.js';
import { CompiledCedarEngine } from '../src/compiled-cedar-engine.js';

const schema = `
  entity User in [Team]; entity Team; entity Agent { sub: String }; entity McpServer;
  entity Tool in [McpServer] { name: String, server?: String };
  action "tools/call" appliesTo { principal: [User], resource: [Tool], context: {
    actor?: Agent, actors: Set<Agent>, depth: Long, risk?: Long, arguments: { path?: String, n?: Long } } };`;

/** Every way to call the tool. What is not listed here behaves like something that is. */
const calls = [undefined, '/pub/a', '/etc/b.env'].flatMap((path) =>
  [undefined, 0, 5, 10].map((n) => ({ ...(path && { path }), ...(n !== undefined && { n }) })),
);
const conditions = fc.constantFrom(
  'true',
  'context.arguments has path && context.arguments.path like "/pub/*"',
  'context.arguments has path && context.arguments.path like "*.env"',
  'context.arguments has n && context.arguments.n > 5',
  '!(context.arguments has n)',
  'context.arguments has n && context.arguments.n + 9223372036854775803 > 0',
  'context.depth > 1',
  'context has risk && context.risk > 50',
  'if context.arguments has n then context.arguments.n == 0 else context.depth == 1',
  'context.actors.contains(Agent::"b") && context.arguments has path',
);
const policies = fc.array(
  fc
    .record({
      effect: fc.constantFrom('permit', 'permit', 'forbid'),
      kind: fc.constantFrom('when', 'when', 'unless'),
      one: conditions,
      joined: fc.constantFrom('&&', '||'),
      other: conditions,
    })
    .map(
      ({ effect, kind, one, joined, other }) =>
        `${effect}(principal, action, resource) ${kind} { (${one}) ${joined} (${other}) };`,
    ),
  { minLength: 1, maxLength: 4 },
);
const contexts = fc.record(
  {
    actors: fc.constantFrom([], [{ sub: 'a' }], [{ sub: 'a' }, { sub: 'b' }]),
    risk: fc.constantFrom(10, 90),
  },
  { requiredKeys: ['actors'] },
);

function decide(engine: PolicyEngine, context: object) {
  const evaluation = {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'read', properties: { server: 'files' } },
    context,
  } as unknown as Evaluation;
  return decideEvaluation(evaluation, { engine, newId: () => 'id' });
}
const bundle = (text: string): PolicyBundle => ({
  version: text,
  schema,
  policies: [{ file: 'a.cedar', text }],
});
function load<T extends PolicyEngine>(engine: T, text: string): T {
  expect(engine.load(bundle(text)).filter(({ severity }) => severity === 'error')).toEqual([]);
  return engine;
}

describe('a preview without arguments', () => {
  it.each([
    ['our evaluator', 40, () => new CompiledCedarEngine()],
    ['cedar-wasm', 15, () => new CedarWasmEngine()],
  ])('by %s never denies what some arguments would have permitted', (_, numRuns, open) => {
    const [engine, oracle] = [open(), new CedarWasmEngine()];
    const seen = { listed: 0, hidden: 0 };
    fc.assert(
      fc.property(policies, contexts, (texts, context) => {
        load(engine, texts.join('\n'));
        load(oracle, texts.join('\n'));
        const preview = decide(engine, { ...context, preview: true });
        const truths = calls.map((args) => decide(oracle, { ...context, arguments: args }).decision);
        if (!preview.decision) expect(truths).not.toContain(true);
        if (preview.decision && preview.context?.residuals === undefined) expect(truths).not.toContain(false);
        seen[preview.decision ? 'listed' : 'hidden'] += 1;
      }),
      { numRuns, seed: 20261123 },
    );
    expect(Math.min(seen.listed, seen.hidden)).toBeGreaterThan(0);
  });

  it('says in the words of the policy what hangs on the arguments, with what is known filled in', () => {
    const engine = load(
      new CompiledCedarEngine(),
      `@id("own") permit(principal, action, resource)
         when { context.arguments has path && context.arguments.path like "/pub/*" && context.depth <= 1 };
       @id("calm") forbid(principal, action, resource)
         when { context has risk && context.arguments has n && context.arguments.n > context.risk };`,
    );
    expect(decide(engine, { risk: 50, preview: true })).toMatchObject({
      decision: true,
      context: {
        policies: [],
        residuals: [
          {
            policy: 'own',
            effect: 'permit',
            when: 'context.arguments has path && context.arguments.path like "/pub/*"',
          },
          {
            policy: 'calm',
            effect: 'forbid',
            when: 'context.arguments has n && context.arguments.n > 50',
          },
        ],
      },
    });
  });

  it('with arguments is about those', () => {
    const engine = load(
      new CompiledCedarEngine(),
      'permit(principal, action, resource) when { context.arguments has path };',
    );
    expect(decide(engine, { preview: true, arguments: {} }).decision).toBe(false);
    expect(decide(engine, { preview: true }).decision).toBe(true);
  });
});
