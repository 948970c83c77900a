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
  const read = evaluationReader();
  const answer = (item: unknown): Promise<EvaluationDecision> => {
    const evaluation = read(isObject(item) ? { ...defaults, ...item } : item);
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

interface ReadPart {
  data: unknown;
  faults: string[];
}
const parts = ['subject', 'action', 'resource', 'context'] as const;

/**
 * Reads the items of a batch. What several items share, a default above all, is read once and stays one object, so that
 * whoever decides can see that it is the same.
 */
function evaluationReader(): (item: unknown) => Evaluation | { faults: string[] } {
  const known = {
    subject: new Map(),
    action: new Map(),
    resource: new Map(),
    context: new Map(),
  } satisfies Record<(typeof parts)[number], Map<unknown, ReadPart>>;
  const readPart = (part: (typeof parts)[number], given: unknown): ReadPart => {
    const found: ReadPart | undefined = known[part].get(given);
    if (found !== undefined) return found;
    const parsed = evaluationSchema.shape[part].safeParse(given);
    const faults = (parsed.error?.issues ?? []).map((issue) => [part, ...issue.path].join('.'));
    const read = { data: parsed.data, faults };
    if (isObject(given)) known[part].set(given, read);
    return read;
  };
  return (item) => {
    if (!isObject(item)) return { faults: ['evaluation'] };
    const read = parts.map(
      (part) => [part, readPart(part, (item as Record<string, unknown>)[part])] as const,
    );
    const faults = [...new Set(read.flatMap(([, { faults: found }]) => found))];
    if (faults.length > 0) return { faults };
    const given = read.filter(([, { data }]) => data !== undefined);
    return Object.fromEntries(given.map(([part, { data }]) => [part, data])) as unknown as Evaluation;
  };
}

function malformed(places: string[]): EvaluationDecision {
  const message = `missing or malformed: ${places.slice(0, 5).join(', ')}`;
  return { decision: false, context: { reason: 'invalid_request', error: { status: 400, message } } };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
