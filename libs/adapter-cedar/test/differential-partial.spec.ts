import { CedarEvaluator, type PolicyJson, printExpression } from '@behalf/cedar-evaluator';
import type { CedarRequest, CedarValue } from '@behalf/policy';
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { mergeEntities } from '../src/merge-entities.js';
import { randomCase } from './random-case.js';
import { RandomExpression } from './random-expression.js';
import { Random } from './random.js';
import { readCase } from './read-case.js';

const numRuns = Number(process.env['BEHALF_FUZZ_CASES'] ?? 60);
const seed = process.env['BEHALF_FUZZ_SEED'];

type Context = CedarRequest['context'];
type Status = 'holds' | 'fails' | 'errs';
const none: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
};

/** How each policy fares, whatever the others say. */
function statuses(evaluator: CedarEvaluator, request: CedarRequest): (id: string) => Status {
  const { determining, erring } = evaluator.evaluate(request);
  const errs = new Set(erring.map(({ id }) => id));
  return (id) => (determining.includes(id) ? 'holds' : errs.has(id) ? 'errs' : 'fails');
}

const isRecord = (value: CedarValue | undefined): value is Record<string, CedarValue> =>
  typeof value === 'object' && !Array.isArray(value) && !('__entity' in value) && !('__extn' in value);

/** Part of a context is withheld; whatever another context has in its place is as good as what was there. */
function withhold(random: Random, context: Context, others: readonly Context[]) {
  const keep = (record: Record<string, CedarValue>) =>
    Object.fromEntries(Object.entries(record).filter(() => random.oneIn(3)));
  const below = random.oneIn(2) ? 'r' : undefined;
  const knownBelow = below && isRecord(context[below]) ? keep(context[below]) : {};
  const path = below === undefined ? [] : [below];
  const given = below === undefined ? keep(context) : { ...context, [below]: knownBelow };
  const completions = [context, ...others.slice(0, 4)].map((other): Context => {
    if (below === undefined) return { ...other, ...given };
    return { ...given, [below]: { ...(isRecord(other[below]) ? other[below] : {}), ...knownBelow } };
  });
  return { given, path, completions };
}

describe('partial evaluation', () => {
  it('is right about every policy, whatever the unknown turns out to be', () => {
    const seen = { previews: 0, settled: 0, residual: 0, never: 0, byWasm: 0 };
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (caseSeed) => {
        const { policies, templates, bundleEntities, requests } = randomCase(caseSeed);
        const random = new Random(caseSeed + 1);
        const about = new RandomExpression(random);
        const guarded = () => {
          const name = random.pick([
            'context has n',
            'context has s',
            'context has r',
            'context.r has a',
            'context has x',
          ]);
          const more = () => about.of('bool', 1 + random.below(3));
          return `permit(principal, action, resource) when { ${random.pick([name, `!(${name})`])} ${random.pick(['&&', '||'])} ${more()} } ${random.oneIn(3) ? `unless { ${more()} }` : ''};`;
        };
        const all = [...policies, ...random.some(6, guarded, 2)];
        const { policies: read } = readCase({ policies: all, templates });
        // Every policy a permit, so that none hides how another fares.
        const sources = read.map((one) => ({ ...one, json: { ...one.json, effect: 'permit' as const } }));
        const evaluator = new CedarEvaluator(sources, bundleEntities);
        for (const request of requests) {
          const { given, path, completions } = withhold(
            random,
            request.context,
            requests.map(({ context }) => context),
          );
          const { principal, entities, action, resource } = request;
          const preview = evaluator
            .forList({ principal, context: given, entities }, [path])
            .evaluatePartially({ action, resource, entities: [] });
          const residuals = new Map(preview.residual.map((one) => [one.id, one]));
          const left = new CedarEvaluator(
            preview.residual.map(({ id, condition }) => ({
              id,
              json: { ...none, conditions: [{ kind: 'when', body: condition }] },
            })),
            bundleEntities,
          );
          seen.previews += 1;
          seen.residual += residuals.size;
          seen.settled += preview.satisfied.length + preview.erring.length;
          seen.never += preview.residual.filter(({ mayHold }) => !mayHold).length;
          for (const context of completions) {
            const complete = { ...request, context };
            const truth = statuses(evaluator, complete);
            const ofResidual = statuses(left, complete);
            for (const { id } of sources) {
              const one = residuals.get(id);
              const settled = preview.satisfied.some((policy) => policy.id === id)
                ? 'holds'
                : preview.erring.some((policy) => policy.id === id)
                  ? 'errs'
                  : 'fails';
              const said = one === undefined ? settled : ofResidual(id);
              const isAllowed =
                one === undefined || { holds: one.mayHold, fails: one.mayFail, errs: one.mayErr }[truth(id)];
              if (said !== truth(id) || !isAllowed)
                throw new Error(
                  JSON.stringify(
                    {
                      caseSeed,
                      id,
                      text: read.find((policy) => policy.id === id)?.text,
                      said,
                      truth: truth(id),
                      one,
                      path,
                      given,
                      context,
                    },
                    bigints,
                  ),
                );
            }
          }
          // The text of what is left means the same to Cedar itself.
          const [sampled] = preview.residual;
          if (sampled === undefined || !random.oneIn(8)) continue;
          seen.byWasm += 1;
          const answer = isAuthorized({
            ...request,
            entities: mergeEntities(bundleEntities, request.entities),
            policies: {
              staticPolicies: {
                p: `permit(principal, action, resource) when { ${printExpression(sampled.condition)} };`,
              },
            },
          });
          if (answer.type === 'failure')
            throw new Error(JSON.stringify([printExpression(sampled.condition), answer.errors]));
          const { decision, diagnostics } = answer.response;
          const byWasm = diagnostics.errors.length > 0 ? 'errs' : decision === 'allow' ? 'holds' : 'fails';
          expect([printExpression(sampled.condition), byWasm]).toEqual([
            printExpression(sampled.condition),
            statuses(left, request)(sampled.id),
          ]);
        }
      }),
      { numRuns, endOnFailure: true, ...(seed !== undefined && { seed: Number(seed) }) },
    );
    if (process.env['BEHALF_FUZZ_CASES'] !== undefined)
      console.info(JSON.stringify({ cases: numRuns, ...seen }));
    expect(Math.min(seen.settled, seen.residual, seen.never, seen.byWasm)).toBeGreaterThan(numRuns / 20);
  }, 3_600_000);
});

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
