import { describePolicyEngine } from '@behalf/testing';
import { type CedarRequest, type EngineDecision, type PolicyEngine, PolicyEngineError } from '@behalf/policy';
import { CedarWasmEngine } from './cedar-wasm-engine.js';
import { CompiledCedarEngine } from './compiled-cedar-engine.js';
import { type Disagreement, type ShadowOptions, ShadowedEngine } from './shadowed-engine.js';

const disagreements: Disagreement[] = [];
const everything: ShadowOptions = {
  share: 1,
  pauseFactor: 0,
  nowMs: () => 0,
  later: (compare) => compare(),
  onDisagreement: (disagreement) => void disagreements.push(disagreement),
};
const request = { context: { secret: 's' } } as unknown as CedarRequest;

/** Answers what it is told to, or refuses. */
class Fixed implements PolicyEngine {
  version: string | undefined = 'v1';
  asked = 0;
  constructor(private readonly decision?: EngineDecision['decision']) {}
  load() {
    return [];
  }
  decide(): EngineDecision {
    this.asked += 1;
    if (this.decision === undefined) throw new PolicyEngineError('refused');
    return { decision: this.decision, determining: [], erring: [], policyVersion: 'v1' };
  }
  list() {
    return { policyVersion: 'v1', decide: () => this.decide(), preview: () => assertNever() };
  }
}

function assertNever(): never {
  throw new Error('must not be asked');
}

describePolicyEngine(
  'compiled, every decision compared',
  () =>
    new ShadowedEngine(new CompiledCedarEngine(), new CedarWasmEngine(), {
      ...everything,
      onDisagreement: (disagreement) => {
        throw new Error(JSON.stringify(disagreement));
      },
    }),
);

describe('ShadowedEngine', () => {
  beforeEach(() => void disagreements.splice(0));

  it.each<[string, Fixed, Fixed, number]>([
    ['a different decision', new Fixed('allow'), new Fixed('deny'), 1],
    ['a shadow that refuses', new Fixed('allow'), new Fixed(), 1],
    ['the same decision', new Fixed('deny'), new Fixed('deny'), 0],
  ])('reports %s without the request, and keeps the answer', (_, live, shadow, reported) => {
    const engine = new ShadowedEngine(live, shadow, everything);
    expect(engine.decide(request)).toEqual(live.decide());
    expect(disagreements).toHaveLength(reported);
    expect(JSON.stringify(disagreements)).not.toContain('secret');
  });

  it('reports a request that only the shadow can read, and still refuses it', () => {
    const engine = new ShadowedEngine(new Fixed(), new Fixed('deny'), everything);
    expect(() => engine.decide(request)).toThrow(PolicyEngineError);
    expect(disagreements).toMatchObject([{ live: 'refused', shadow: { decision: 'deny' } }]);
  });

  it('compares its share, and pauses in proportion to how long a comparison took', () => {
    const shadow = new Fixed('allow');
    let nowMs = 0;
    const draws = [0.6, 0.1, 0.2, 0.3, 0.4];
    const engine = new ShadowedEngine(new Fixed('allow'), shadow, {
      ...everything,
      share: 0.5,
      pauseFactor: 100,
      random: () => draws.shift()!,
      nowMs: () => nowMs,
    });
    const decide = shadow.decide.bind(shadow);
    shadow.decide = () => ((nowMs += 5), decide());
    const decideOnce = () => (engine.decide(request), shadow.asked);
    expect([decideOnce(), decideOnce(), decideOnce()]).toEqual([0, 1, 1]);
    nowMs = 504;
    expect(decideOnce()).toBe(1);
    nowMs = 505;
    expect(decideOnce()).toBe(2);
  });

  it('has one comparison waiting at a time', () => {
    const shadow = new Fixed('allow');
    const waiting: (() => void)[] = [];
    const engine = new ShadowedEngine(new Fixed('allow'), shadow, {
      ...everything,
      later: (compare) => void waiting.push(compare),
    });
    engine.decide(request);
    engine.decide(request);
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    engine.decide(request);
    expect(waiting).toHaveLength(2);
  });

  it('compares nothing across a change of policies', () => {
    const shadow = new Fixed('deny');
    shadow.version = 'v2';
    new ShadowedEngine(new Fixed('allow'), shadow, everything).decide(request);
    expect([shadow.asked, disagreements]).toEqual([0, []]);
  });
});
