import {
  type Evaluation,
  type EvaluationDecision,
  type EvaluationsDecision,
  type EvaluationsRequest,
  parseEvaluationPart,
} from '@behalf/contracts';
import { isSameJson } from '@behalf/i-json';

/** A batch whose items have not been looked at: one malformed item must not cost the others their answer. */
export type UncheckedEvaluations = Omit<EvaluationsRequest, 'evaluations'> & {
  evaluations?: unknown[] | undefined;
};

export interface BatchLimits {
  maxEvaluations: number;
}

/** The batch has more items than this service answers at once. Nothing of it was decided. */
export class TooManyEvaluations extends Error {
  override readonly name = 'TooManyEvaluations';
  constructor(readonly maxEvaluations: number) {
    super(`at most ${maxEvaluations} evaluations in one request`);
  }
}

/** What ends a batch early, per `options.evaluations_semantic`. */
const stopsAt = { execute_all: undefined, deny_on_first_deny: false, permit_on_first_permit: true } as const;

/**
 * Answers every item in its order. An object given by an item replaces the default beside `evaluations` whole; nothing
 * is merged. An item that is not an evaluation is answered with `decision: false` and `context.error`. Without items
 * the request itself is the only item. Under `deny_on_first_deny` and `permit_on_first_permit` the answer ends with
 * the item that settled it.
 *
 * @throws TooManyEvaluations
 * @see AuthZEN Authorization API 1.0 §7
 */
export async function evaluateBatch(
  request: UncheckedEvaluations,
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>,
  limits: BatchLimits,
): Promise<EvaluationsDecision> {
  const { evaluations, options, ...defaults } = request;
  const items = evaluations === undefined || evaluations.length === 0 ? [{}] : evaluations;
  if (items.length > limits.maxEvaluations) throw new TooManyEvaluations(limits.maxEvaluations);
  const read = evaluationReader(defaults);
  const answer = (item: unknown): Promise<EvaluationDecision> => {
    const evaluation = read(item);
    return 'faults' in evaluation ? Promise.resolve(malformed(evaluation.faults)) : decide(evaluation);
  };

  const stop = stopsAt[options?.evaluations_semantic ?? 'execute_all'];
  if (stop === undefined) return { evaluations: await Promise.all(items.map(answer)) };
  const answered: EvaluationDecision[] = [];
  for (const item of items) {
    const decision = await answer(item);
    answered.push(decision);
    if (decision.decision === stop) break;
  }
  return { evaluations: answered };
}

interface ReadPart<P extends Part> {
  given: unknown;
  data: Evaluation[P] | undefined;
  faults: string[];
}
type Part = keyof Evaluation;

/**
 * Reads the items of a batch. What an item has in common with the one before it, a default above all, is read once and
 * stays one object, so that whoever decides can see that it is the same.
 */
function evaluationReader(
  defaults: Partial<Evaluation>,
): (item: unknown) => Evaluation | { faults: string[] } {
  const readers = {
    subject: partReader('subject'),
    action: partReader('action'),
    resource: partReader('resource'),
    context: partReader('context'),
  };
  return (item) => {
    if (!isObject(item)) return { faults: ['evaluation'] };
    const given = (part: Part): unknown => (Object.hasOwn(item, part) ? item[part] : defaults[part]);
    const subject = readers.subject(given('subject'));
    const action = readers.action(given('action'));
    const resource = readers.resource(given('resource'));
    const context = readers.context(given('context'));
    if (
      subject.data === undefined ||
      action.data === undefined ||
      resource.data === undefined ||
      context.faults.length > 0
    )
      return { faults: [...new Set([subject, action, resource, context].flatMap(({ faults }) => faults))] };
    const evaluation: Evaluation = { subject: subject.data, action: action.data, resource: resource.data };
    if (context.data !== undefined) evaluation.context = context.data;
    return evaluation;
  };
}

function partReader<P extends Part>(part: P): (given: unknown) => ReadPart<P> {
  let last: ReadPart<P> | undefined;
  return (given) => {
    if (last !== undefined && isSameJson(last.given, given)) return last;
    const { data, error } = parseEvaluationPart(part, given);
    const faults = error === undefined ? [] : error.issues.map((issue) => [part, ...issue.path].join('.'));
    return (last = { given, data, faults });
  };
}

function malformed(places: string[]): EvaluationDecision {
  const message = `missing or malformed: ${places.slice(0, 5).join(', ')}`;
  return { decision: false, context: { reason: 'invalid_request', error: { status: 400, message } } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
