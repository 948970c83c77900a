import type { PolicyBundle } from '@behalf/policy';
import fc from 'fast-check';
import { CedarWasmEngine } from '../src/cedar-wasm-engine.js';
import { CompiledCedarEngine } from '../src/compiled-cedar-engine.js';

const numRuns = Number(process.env['BEHALF_FUZZ_CASES'] ?? 150);

const schema = `entity Team in [Team]; entity User in [Team] { level?: Long }; entity McpServer;
  entity Tool in [McpServer] { name: String };
  action "tools/call" appliesTo { principal: [User], resource: [Tool], context: { arguments: { path?: String, n?: Long } } };`;
const policies = `@id("t") permit(principal in ?principal, action, resource)
    when { context.arguments has path && context.arguments.path like "/a*\\*b*" };
  @id("f") forbid(principal, action == Action::"tools/call", resource is Tool in McpServer::"s")
    unless { principal has level && [3, -9223372036854775808].contains(principal.level) };`;
const entities = `[{"uid":{"type":"User","id":"a"},"attrs":{"level":3},"parents":[{"type":"Team","id":"x"}]},
  {"uid":{"type":"Team","id":"x"},"attrs":{},"parents":[]}]`;
const links = `[{"templateId":"t","newId":"l","values":{"?principal":{"type":"Team","id":"x"}}}]`;
const texts = { schema, policies, entities, links };

const pieces = fc.constantFrom(
  ' ',
  ' ',
  ' ',
  ' ',
  'b',
  '2',

  '',
  '"',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ';',
  ',',
  '::',
  '?principal',
  '?resource',
  '@',
  '\\',
  '\\u{d800}',

  'null',
  '1e999',
  '-1',
  '9223372036854775808',
  '__entity',
  '__extn',
  '__proto__',
  'constructor',
  '\ud800',

  'if',
  'like',
  'has',
  'is',
  'in',
  '&&',
  '!',
  '-',
  'ip("',
  'decimal("1e1")',
  '/*',
  '//',
  '\0',
  '"*"',
  'x'.repeat(5000),
  '('.repeat(200),
  '!'.repeat(200),
  '[{'.repeat(80),
);
const edits = fc.array(
  fc.record({
    part: fc.constantFrom<keyof typeof texts>('schema', 'policies', 'entities', 'links'),
    at: fc.nat(),
    cut: fc.constantFrom(0, 0, 1, 5, 12),
    piece: pieces,
  }),
  { minLength: 1, maxLength: 3 },
);

/** Undefined when it would not even have been read from its files. */
function broken(
  changes: { part: keyof typeof texts; at: number; cut: number; piece: string }[],
): PolicyBundle | undefined {
  const edited: Record<keyof typeof texts, string> = { ...texts };
  for (const { part, at, cut, piece } of changes) {
    const text = edited[part];
    const start = at % (text.length + 1);
    edited[part] = text.slice(0, start) + piece + text.slice(start + cut);
  }
  try {
    return {
      version: 'broken',
      schema: edited.schema,
      policies: [{ file: 'a.cedar', text: edited.policies }],
      entities: JSON.parse(edited.entities) as unknown,
      links: JSON.parse(edited.links) as unknown,
    };
  } catch {
    return undefined;
  }
}

const request = {
  principal: { type: 'User', id: 'a' },
  action: { type: 'Action', id: 'tools/call' },
  resource: { type: 'Tool', id: 's/t' },
  context: { arguments: { path: '/abc*b' } },
  entities: [],
};

describe.each([
  ['our evaluator', () => new CompiledCedarEngine()],
  ['cedar-wasm', () => new CedarWasmEngine()],
])('bundles broken at random, given to %s', (_, open) => {
  it('are taken or refused with reasons, and never break what decides', () => {
    const engine = open();
    const sound = { schema, policies: [{ file: 'a.cedar', text: policies }], entities: [], links: [] };
    expect(engine.load({ ...sound, version: 'v' }).filter(({ severity }) => severity === 'error')).toEqual(
      [],
    );
    const before = JSON.stringify(engine.decide(request));
    const seen = { refused: 0, taken: 0 };
    fc.assert(
      fc.property(edits, (changes) => {
        const bundle = broken(changes);
        if (bundle === undefined) return;
        const problems = engine.load(bundle);
        const isRefused = problems.some(({ severity }) => severity === 'error');
        seen[isRefused ? 'refused' : 'taken'] += 1;
        expect(problems.every(({ reason }) => reason.length > 0)).toBe(true);
        expect(engine.version).toBe(isRefused ? 'v' : 'broken');
        if (isRefused) expect(JSON.stringify(engine.decide(request))).toBe(before);
        else engine.load({ ...sound, version: 'v' });
      }),
      { numRuns, seed: 20261123 },
    );
    expect(Math.min(seen.refused, seen.taken)).toBeGreaterThan(0);
    expect(JSON.stringify(engine.decide(request))).toBe(before);
  }, 3_600_000);
});
