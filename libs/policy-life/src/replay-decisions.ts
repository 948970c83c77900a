import type { Evaluation } from '@behalf/contracts';
import { type MappingOptions, type PolicyEngine } from '@behalf/policy';
import { type Outcome, judgeOutcome } from './judge-outcome.js';

/** A recorded decision with what was asked. */
export interface RecordedDecision {
  decisionId: string;
  decision: boolean;
  decidedAtMs: number;
  evaluation: Evaluation;
}

export interface Flip {
  decisionId: string;
  person: string;
  resource: string;
  action: string;
  from: Outcome['outcome'];
  to: Outcome['outcome'];
  policies: string[];
}

export interface ReplayReport {
  replayed: number;
  flipped: number;
  toDenied: number;
  toConditional: number;
  toPermitted: number;
  /** How many flips each has, the most first. */
  people: [string, number][];
  tools: [string, number][];
  /** The first flips, for looking at. */
  examples: Flip[];
}

const maxExamples = 50;

/**
 * Decides again what was decided, by other policies and at the time of then, and says what would be different. What the
 * live policies say now is compared, not what was answered: an answer also hung on budgets and approvals, which a replay
 * neither has nor spends.
 */
export async function replayDecisions(
  recorded: AsyncIterable<RecordedDecision> | Iterable<RecordedDecision>,
  engines: { live: PolicyEngine; candidate: PolicyEngine },
  mapping: MappingOptions,
): Promise<ReplayReport> {
  const flips: Flip[] = [];
  const people = new Map<string, number>();
  const tools = new Map<string, number>();
  const to: Record<Outcome['outcome'], number> = { denied: 0, conditional: 0, permitted: 0 };
  let [replayed, flipped] = [0, 0];
  for await (const one of recorded) {
    replayed++;
    const at = { ...mapping, nowMs: one.decidedAtMs };
    const before = judgeOutcome(one.evaluation, engines.live, at);
    const after = judgeOutcome(one.evaluation, engines.candidate, at);
    if (before.outcome === after.outcome) continue;
    flipped++;
    to[after.outcome]++;
    const flip = describe(one, before, after);
    count(people, flip.person);
    count(tools, flip.resource);
    if (flips.length < maxExamples) flips.push(flip);
  }
  return {
    replayed,
    flipped,
    toDenied: to.denied,
    toConditional: to.conditional,
    toPermitted: to.permitted,
    people: ranked(people),
    tools: ranked(tools),
    examples: flips,
  };
}

export function renderReplay({ replayed, flipped, toDenied, people, tools }: ReplayReport): string {
  const list = (names: [string, number][]) => names.map(([name, n]) => `  ${name} (${n})`).join('\n');
  const head = `this change would flip ${flipped} of ${replayed.toLocaleString('en-US')} decisions`;
  if (flipped === 0) return head;
  return `${head}, ${toDenied} of them to denied\npeople:\n${list(people)}\nthings:\n${list(tools)}`;
}

function describe(one: RecordedDecision, before: Outcome, after: Outcome): Flip {
  const { subject, resource, action, context } = one.evaluation;
  const server = resource.properties?.['server'] ?? context?.['server'];
  return {
    decisionId: one.decisionId,
    person: subject.id,
    resource: typeof server === 'string' ? `${server}/${resource.id}` : resource.id,
    action: action.name,
    from: before.outcome,
    to: after.outcome,
    policies: after.policies,
  };
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function ranked(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([one, n], [other, m]) => m - n || (one < other ? -1 : 1));
}
