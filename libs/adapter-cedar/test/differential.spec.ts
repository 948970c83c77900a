import { CedarEvaluator, type PolicyAnswer } from '@behalf/cedar-evaluator';
import type { CedarRequest } from '@behalf/policy';
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { mergeEntities } from '../src/merge-entities.js';
import { type Case, randomCase } from './random-case.js';
import { readCase } from './read-case.js';

/** `BEHALF_FUZZ_CASES` and `BEHALF_FUZZ_SEED` make this as long a run as one likes; `npm test` runs a short one. */
const numRuns = Number(process.env['BEHALF_FUZZ_CASES'] ?? 300);
const seed = process.env['BEHALF_FUZZ_SEED'];

interface Prepared {
  evaluator: CedarEvaluator;
  byWasm: (request: CedarRequest) => object;
}

/** Both engines on the same policies. */
function prepare(one: Case): Prepared {
  const { bundleEntities } = one;
  const { policies, policySet } = readCase(one);
  const parsed = preparsePolicySet('differential', policySet);
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));
  return {
    evaluator: new CedarEvaluator(policies, bundleEntities),
    byWasm(request) {
      const answer = statefulIsAuthorized({
        ...request,
        entities: mergeEntities(bundleEntities, request.entities),
        preparsedPolicySetId: 'differential',
      });
      if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
      const { decision, diagnostics } = answer.response;
      return {
        decision,
        determining: diagnostics.reason.sort(),
        erring: diagnostics.errors.map(({ policyId }) => policyId).sort(),
      };
    },
  };
}

function named({ decision, determining, erring }: PolicyAnswer) {
  return { decision, determining, erring: erring.map(({ id }) => id) };
}

describe('the evaluator and cedar-wasm', () => {
  it('agree on the decision, the determining policies and the erring policies', () => {
    const seen = { requests: 0, allow: 0, deny: 0, determining: 0, erring: 0 };
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (caseSeed) => {
        const one = randomCase(caseSeed);
        const { evaluator, byWasm } = prepare(one);
        for (const [index, request] of one.requests.entries()) {
          const ours = evaluator.evaluate(request);
          const { action, resource, ...shared } = request;
          const inList = evaluator.forList(shared).evaluate({ action, resource, entities: [] });
          const theirs = byWasm(request);
          // Jest's own comparison takes longer than both engines; it is for showing what differs.
          if (JSON.stringify([ours, inList].map(named)) !== JSON.stringify([theirs, theirs]))
            expect({ caseSeed, index, ours: named(ours), inList: named(inList) }).toEqual({
              caseSeed,
              index,
              ours: theirs,
              inList: theirs,
            });
          const { decision, determining, erring } = ours;
          seen.requests += 1;
          seen[decision] += 1;
          seen.determining += determining.length;
          seen.erring += erring.length;
        }
      }),
      { numRuns, endOnFailure: true, ...(seed !== undefined && { seed: Number(seed) }) },
    );
    if (process.env['BEHALF_FUZZ_CASES'] !== undefined)
      console.info(JSON.stringify({ cases: numRuns, ...seen }));
    // A generator whose policies never matter would agree on nothing.
    expect(Math.min(seen.allow, seen.deny, seen.determining, seen.erring)).toBeGreaterThan(numRuns / 10);
  }, 3_600_000);
});
