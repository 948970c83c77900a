import type { DecisionContext, Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { BudgetStore } from './budget-store.js';
import { bindingOf, bindingToken } from './call-binding.js';
import { type DecideDependencies, faultReason } from './decide.js';
import { expensesOf } from './expenses-of.js';
import { type Judgement, judgeEvaluation } from './judge-evaluation.js';
import { type Demand, demandsOf } from './merge-terms.js';
import { RequestLists } from './request-lists.js';
import { checkPin } from './tool-pins.js';

/** Approvals that have been given for exact calls. */
export interface ApprovalUse {
  /** True when this approval is for this call and may still be used. Uses nothing. */
  isUsable(id: string, binding: string, approval: 'human' | 'other-human', nowMs: number): Promise<boolean>;
  /** Uses it up: of any number of concurrent callers one is told true. */
  use(id: string, binding: string, approval: 'human' | 'other-human', nowMs: number): Promise<boolean>;
}

export interface ConditionDependencies extends DecideDependencies {
  nowMs: number;
  /** Of the same engine and mapping, where evaluations of one batch share them. */
  lists?: RequestLists;
  budgets: BudgetStore;
  approvals: ApprovalUse;
  /** The definition hash that was reviewed for a tool; undefined for a tool that is not pinned. */
  pinOf?: (server: string, tool: string) => string | undefined;
}

type Unmet = 'insufficient_scope' | 'approval_required' | 'budget_exceeded';

/**
 * The decision with everything that policies ask besides: the tool is the one that was reviewed, the token carries the
 * scopes, somebody approved this very call, the budget is not spent. Budgets are spent and approvals used up only when
 * the answer is a permission; an evaluation with `context.preview: true` spends nothing, and is answered with what
 * could be permitted. So does one with `context.repeated: true`: where something would have to be spent or used up, it is
 * denied as `repeated`, because whoever was asked first may be doing that.
 *
 * Obligations go to callers that said they know them (`context.supported_obligations`); others are denied.
 *
 * Never throws. Records nothing.
 */
export async function decideWithConditions(
  evaluation: Evaluation,
  dependencies: ConditionDependencies,
): Promise<EvaluationDecision> {
  const { engine, newId, onFault } = dependencies;
  const id = newId();
  try {
    const settled = settle(evaluation, dependencies);
    const answer = settled instanceof Promise ? await settled : settled;
    return { decision: answer.decision, context: contextOf(id, answer, engine.version) };
  } catch (cause) {
    const reason = faultReason(cause);
    onFault?.({ id, reason, cause });
    const context = { id, reason, policies: [], errors: [] };
    return {
      decision: false,
      context: { ...context, ...(engine.version !== undefined && { policy_version: engine.version }) },
    };
  }
}

type Answer = DecisionContext & { decision: boolean };

function contextOf(id: string, answer: Answer, currentVersion: string | undefined): DecisionContext {
  const { decision: _, reason, policies, errors, policy_version: version = currentVersion, ...more } = answer;
  const context: DecisionContext = { id, reason, policies, errors };
  if (version !== undefined) context.policy_version = version;
  return Object.assign(context, more);
}

/** A promise only where conditions have to be looked up. */
function settle(evaluation: Evaluation, dependencies: ConditionDependencies): Answer | Promise<Answer> {
  // The engine's answer comes first: a forbidden call is forbidden, whatever else is wrong with it.
  const { engine, lists = new RequestLists(engine, dependencies) } = dependencies;
  const judgement = judgeEvaluation(evaluation, lists);
  if (!judgement.verdict.decision) return judgement.verdict;
  const changed = checkPin(evaluation, dependencies.pinOf);
  if (changed !== undefined) return { ...denial(judgement, 'tool_changed'), obligations: [changed] };
  const { redact } = judgement;
  const duties =
    redact.length > 0 ? [{ id: 'redact', type: 'redact' as const, properties: { fields: redact } }] : [];
  if (duties.length > 0 && !supports(evaluation, 'redact'))
    return { ...denial(judgement, 'unsupported_obligation'), obligations: duties };
  const permission: Answer =
    duties.length > 0 ? { ...judgement.verdict, obligations: duties } : judgement.verdict;
  if (evaluation.context?.['preview'] === true) return { ...permission, preview: true };
  if (judgement.required.length === 0 && judgement.alternatives.length === 0) return permission;
  if (evaluation.context?.['repeated'] === true) return denial(judgement, 'repeated');
  return meetConditions(judgement, evaluation, dependencies).then((denied) => denied ?? permission);
}

/** Undefined when one way of meeting them has succeeded; else the denial that says what is missing. */
async function meetConditions(
  judgement: Judgement,
  evaluation: Evaluation,
  dependencies: ConditionDependencies,
): Promise<Answer | undefined> {
  const demands = demandsOf(judgement);
  const held = heldScopes(evaluation);
  const missing: { unmet: Unmet; demand: Demand }[] = [];
  for (const demand of demands) {
    const unmet = await meet(demand, held, judgement, evaluation, dependencies);
    if (unmet === undefined) return undefined;
    missing.push({ unmet, demand });
  }
  // What a person can do something about by themselves comes first; among scopes the smallest set, which is first.
  const reported = ['insufficient_scope', 'approval_required', 'budget_exceeded'] as const;
  const reason = reported.find((one) => missing.some(({ unmet }) => unmet === one)) ?? 'budget_exceeded';
  const demand = missing.find(({ unmet }) => unmet === reason)?.demand;
  return { ...denial(judgement, reason), ...(demand && whatToDo(reason, demand, judgement, evaluation)) };
}

/** Everything is looked at before anything is spent, so that a call that fails for one reason costs nothing else. */
async function meet(
  demand: Demand,
  held: ReadonlySet<string>,
  judgement: Judgement,
  evaluation: Evaluation,
  { budgets, approvals, nowMs, ownIssuer }: ConditionDependencies,
): Promise<Unmet | undefined> {
  if (!demand.scopes.every((scope) => held.has(scope))) return 'insufficient_scope';
  const expenses = expensesOf(demand.budgets, evaluation, ownIssuer);
  for (const expense of expenses) if (!(await budgets.fits(expense, nowMs))) return 'budget_exceeded';
  const presented = demand.approval && presentedApproval(judgement, evaluation);
  if (demand.approval !== undefined) {
    if (presented === undefined) return 'approval_required';
    if (!(await approvals.isUsable(presented.id, presented.binding, demand.approval, nowMs)))
      return 'approval_required';
  }
  for (const expense of expenses) if (!(await budgets.spend(expense, nowMs))) return 'budget_exceeded';
  if (demand.approval === undefined || presented === undefined) return undefined;
  const used = await approvals.use(presented.id, presented.binding, demand.approval, nowMs);
  return used ? undefined : 'approval_required';
}

function presentedApproval(judgement: Judgement, evaluation: Evaluation) {
  const approval = evaluation.context?.['approval'];
  const id =
    typeof approval === 'object' && approval !== null && !Array.isArray(approval)
      ? approval['id']
      : undefined;
  const binding = bindingOf(evaluation, judgement.verdict.policy_version ?? '');
  return typeof id === 'string' && binding !== undefined ? { id, binding: bindingToken(binding) } : undefined;
}

function whatToDo(
  reason: Unmet,
  demand: Demand,
  judgement: Judgement,
  evaluation: Evaluation,
): Partial<DecisionContext> {
  const policies = demand.policies;
  if (reason === 'insufficient_scope') {
    const scope = demand.scopes.join(' ');
    return { policies, scope, obligations: [{ id: 'step-up', type: 'step-up', properties: { scope } }] };
  }
  if (reason === 'budget_exceeded') return { policies };
  const binding = bindingOf(evaluation, judgement.verdict.policy_version ?? '');
  const properties = { approval: demand.approval ?? 'human' };
  return {
    policies,
    obligations: [{ id: 'approval', type: 'approval', properties }],
    ...(binding && { access_request: { binding_token: bindingToken(binding) } }),
  };
}

function denial({ verdict }: Judgement, reason: DecisionContext['reason']): Answer {
  return { ...verdict, decision: false, reason };
}

function heldScopes(evaluation: Evaluation): Set<string> {
  const scope = evaluation.context?.['scope'];
  const values = Array.isArray(scope) ? scope : [scope];
  return new Set(values.flatMap((value) => (typeof value === 'string' ? value.split(' ') : [])));
}

function supports(evaluation: Evaluation, type: string): boolean {
  const supported = evaluation.context?.['supported_obligations'];
  return Array.isArray(supported) && supported.includes(type);
}
