import {
  type Evaluation,
  type EvaluationDecision,
  type EvaluationsDecision,
  type EvaluationsRequest,
  evaluationSchema,
} from '@behalf/contracts';

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
  const answer = (item: unknown) => answerItem(item, defaults, decide);

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

async function answerItem(
  item: unknown,
  defaults: Partial<Evaluation>,
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>,
): Promise<EvaluationDecision> {
  const evaluation = evaluationSchema.safeParse(isObject(item) ? { ...defaults, ...item } : item);
  if (evaluation.success) return decide(evaluation.data);
  const places = [...new Set(evaluation.error.issues.map((issue) => issue.path.join('.') || 'evaluation'))];
  const message = `missing or malformed: ${places.slice(0, 5).join(', ')}`;
  return { decision: false, context: { reason: 'invalid_request', error: { status: 400, message } } };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
