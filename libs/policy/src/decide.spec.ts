import type { Evaluation } from '@behalf/contracts';
import * as fc from 'fast-check';
import type { CedarRequest } from './cedar-request.js';
import { type DecideDependencies, decideEvaluation } from './decide.js';
import { type EngineDecision, type PolicyEngine, PolicyEngineError } from './ports.js';

const evaluation: Evaluation = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'echo' },
};

function engineThat(decide: (request: CedarRequest) => Partial<EngineDecision>): PolicyEngine {
  const whole = (request: CedarRequest): EngineDecision => ({
    decision: 'deny',
    determining: [],
    erring: [],
    policyVersion: 'v1',
    ...decide(request),
  });
  return {
    version: 'v1',
    load: () => [],
    decide: whole,
    list: (shared) => ({
      policyVersion: 'v1',
      decide: (item) => whole({ ...shared, ...item, entities: [...shared.entities, ...item.entities] }),
      preview: () => ({ satisfied: [], erring: [], possible: [], policyVersion: 'v1' }),
    }),
  };
}
const decideWith = (
  engine: PolicyEngine,
  change: Partial<Evaluation> = {},
  more: Partial<DecideDependencies> = {},
) => decideEvaluation({ ...evaluation, ...change }, { engine, newId: () => 'id-1', ...more });

const permit = (id: string) => ({ id, effect: 'permit' as const });
const forbid = (id: string) => ({ id, effect: 'forbid' as const });

describe('decideEvaluation', () => {
  it.each<[string, Partial<EngineDecision>, object]>([
    [
      'permits what Cedar allows',
      { decision: 'allow', determining: ['p'] },
      { decision: true, context: { reason: 'permitted', policies: ['p'], errors: [] } },
    ],
    [
      'denies what a forbid matches',
      { determining: ['f'] },
      { decision: false, context: { reason: 'forbidden', policies: ['f'] } },
    ],
    [
      'denies what nothing permits',
      {},
      { decision: false, context: { reason: 'no_matching_permit', policies: [] } },
    ],
    [
      'denies when a forbid errs, whatever permits',
      { decision: 'allow', determining: ['p'], erring: [forbid('f'), permit('q')] },
      { decision: false, context: { reason: 'policy_error', policies: ['f'], errors: ['f', 'q'] } },
    ],
    [
      'permits when only another permit errs, and reports it',
      { decision: 'allow', determining: ['p'], erring: [permit('q')] },
      { decision: true, context: { reason: 'permitted', errors: ['q'] } },
    ],
    [
      'does not permit by a permit that errs',
      { erring: [permit('q')] },
      { decision: false, context: { reason: 'no_matching_permit', errors: ['q'] } },
    ],
    [
      'names the forbid that matched before one that erred',
      { determining: ['f'], erring: [forbid('g')] },
      { decision: false, context: { reason: 'forbidden', policies: ['f'], errors: ['g'] } },
    ],
  ])('%s', (_, answer, expected) => {
    expect(decideWith(engineThat(() => answer))).toMatchObject(expected);
  });

  it('gives every decision its id and the version that decided', () => {
    const { context } = decideWith(engineThat(() => ({ policyVersion: 'v2' })));
    expect(context).toMatchObject({ id: 'id-1', policy_version: 'v2' });
  });

  it('denies an evaluation that has no faithful form, without asking the engine', () => {
    let asked = false;
    const engine = engineThat(() => ((asked = true), { decision: 'allow' }));
    const answer = decideWith(engine, { context: { arguments: { size: 1e300 } } });
    expect(answer).toMatchObject({ decision: false, context: { id: 'id-1', reason: 'invalid_request' } });
    expect(asked).toBe(false);
  });

  it('denies when the engine fails, and tells the log why', () => {
    const faults: unknown[] = [];
    const engine = engineThat(() => {
      throw new PolicyEngineError('no bundle');
    });
    const answer = decideWith(engine, {}, { onFault: (fault) => faults.push(fault) });
    expect(answer).toMatchObject({ decision: false, context: { reason: 'policy_error' } });
    expect(faults).toEqual([{ id: 'id-1', reason: 'policy_error', cause: expect.any(PolicyEngineError) }]);
  });

  it('denies a whole chain when a shorter one is denied, and says by which policy', () => {
    const engine = engineThat(({ context }) =>
      context['depth'] === 1 ? { determining: ['f'] } : { decision: 'allow', determining: ['p'] },
    );
    const answer = decideWith(engine, { context: { actors: [{ sub: 'a' }, { sub: 'b' }] } });
    expect(answer).toMatchObject({ decision: false, context: { reason: 'forbidden', policies: ['f'] } });
  });

  it('never widens by an earlier actor, whatever the policies say', () => {
    const chain = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(chain, fc.func(fc.boolean()), (subs, policies) => {
        const engine = engineThat(({ context }) => ({
          decision: policies(context['actors']) ? 'allow' : 'deny',
        }));
        const decide = (names: string[]) =>
          decideWith(engine, { context: { actors: names.map((sub) => ({ sub })) } }).decision;
        expect(!decide(subs) || decide(subs.slice(0, -1))).toBe(true);
      }),
    );
  });
});
