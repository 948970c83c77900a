import { type ExpressionJson, type PolicyJson, printExpression } from '@behalf/cedar-evaluator';
import { type CedarRequest, type NamedPolicy, type PartialDecision, PolicyEngineError } from '@behalf/policy';
import { type PolicySet, isAuthorizedPartial } from '@cedar-policy/cedar-wasm/nodejs';
import type { CheckedBundle } from './check-policy-bundle.js';
import { describeCedarError } from './describe-cedar-error.js';
import { mergeEntities } from './merge-entities.js';

interface Bundle extends Pick<CheckedBundle, 'entities'> {
  version: string;
  policySet: PolicySet;
  effects: ReadonlyMap<string, NamedPolicy['effect']>;
}

const unknownArguments = { __extn: { fn: 'unknown', arg: 'arguments' } };

/**
 * Cedar's own partial evaluation with all arguments unknown, those that are given, too. Leaves more open than
 * `CompiledCedarEngine` does: every policy that it cannot settle may hold and may fail.
 *
 * @throws PolicyEngineError
 */
export function previewByWasm(request: CedarRequest, bundle: Bundle): PartialDecision {
  const { principal, action, resource, context } = request;
  let answer: ReturnType<typeof isAuthorizedPartial>;
  try {
    answer = isAuthorizedPartial({
      principal,
      action,
      resource,
      context: { ...context, arguments: unknownArguments },
      entities: mergeEntities(bundle.entities, request.entities),
      policies: bundle.policySet,
    });
  } catch (cause) {
    throw new PolicyEngineError('Cedar could not read the request', { cause });
  }
  if (answer.type === 'failure')
    throw new PolicyEngineError(answer.errors.map((error) => describeCedarError(error)).join('; '));
  const { satisfied, errored, residuals, nontrivialResiduals } = answer.response;
  const named = (id: string): NamedPolicy => ({ id, effect: bundle.effects.get(id) ?? 'forbid' });
  return {
    satisfied: satisfied.map(named),
    erring: errored.map(named),
    possible: nontrivialResiduals.map((id) => ({
      ...named(id),
      when: conditionOf(residuals[id] as unknown as PolicyJson),
      mayHold: true,
      mayFail: true,
    })),
    policyVersion: bundle.version,
  };
}

function conditionOf({ conditions }: PolicyJson): string {
  return conditions.map(({ body }) => printExpression(withArguments(body) as ExpressionJson)).join(' && ');
}

/** With the arguments by their name, where Cedar leaves a call of `unknown`. */
function withArguments(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(withArguments);
  if ('unknown' in json) return { '.': { left: { Var: 'context' }, attr: 'arguments' } };
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, withArguments(value)]));
}
