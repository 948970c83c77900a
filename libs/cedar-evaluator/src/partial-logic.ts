import { withOperands } from './expression-parts.js';
import {
  type PartialRun,
  type Residual,
  asBooleanOutcomes,
  certainError,
  expressionOf,
  known,
  outcome,
  outcomesOf,
  residual,
} from './partial-value.js';
import type { BinaryJson, ConditionalJson, ExpressionJson } from './policy-json.js';

const { true: whenTrue, false: whenFalse, error: whenError } = outcome;

/** `&&` and `||`. The right side is looked at only when the left has not settled it. */
export function partialChain(
  operator: '&&' | '||',
  original: ExpressionJson,
  left: PartialRun,
  right: PartialRun,
): PartialRun {
  const settledBy = operator === '||';
  const settling = settledBy ? whenTrue : whenFalse;
  const { right: rightJson } = original[operator] as BinaryJson;
  return (environment) => {
    const one = left(environment);
    if (one.kind === 'error') return certainError;
    if (one.kind === 'known') {
      if (typeof one.value !== 'boolean') return certainError;
      if (one.value === settledBy) return one;
      const other = right(environment);
      if (other.kind === 'known' && typeof other.value !== 'boolean') return certainError;
      if (other.kind !== 'residual' || isBoolean(other)) return other;
      // Not left out: it makes what is no boolean an error.
      const kept = { [operator]: { left: { Value: !settledBy }, right: other.expression } };
      return residual(kept, asBooleanOutcomes(other.outcomes));
    }
    const other = right(environment);
    const leftOutcomes = asBooleanOutcomes(one.outcomes);
    const rightOutcomes = asBooleanOutcomes(outcomesOf(other));
    const outcomes =
      (leftOutcomes & (settling | whenError)) | (leftOutcomes & ~(settling | whenError) ? rightOutcomes : 0);
    if (other.kind === 'known') {
      // `a && true` is `a`; `a && false` is false unless `a` errs.
      if (other.value === !settledBy && isBoolean(one)) return one;
      if (other.value === settledBy && !(leftOutcomes & whenError)) return other;
    }
    const rest = other.kind === 'residual' ? demanded(other) : expressionOf(other, rightJson);
    return residual(withOperands(original, [demanded(one), rest]), outcomes);
  };
}

export function partialNot(original: ExpressionJson, operand: PartialRun): PartialRun {
  return (environment) => {
    const one = operand(environment);
    if (one.kind === 'error') return certainError;
    if (one.kind === 'known') return typeof one.value === 'boolean' ? known(!one.value) : certainError;
    const outcomes = asBooleanOutcomes(one.outcomes);
    const negated =
      (outcomes & whenError) | (outcomes & whenTrue ? whenFalse : 0) | (outcomes & whenFalse ? whenTrue : 0);
    return residual(withOperands(original, [demanded(one)]), negated);
  };
}

/** Only the branch that is taken counts; both do while nobody knows which one it is. */
export function partialConditional(
  original: ExpressionJson,
  test: PartialRun,
  then: PartialRun,
  otherwise: PartialRun,
): PartialRun {
  const json = original['if-then-else'] as ConditionalJson;
  return (environment) => {
    const tested = test(environment);
    if (tested.kind === 'error') return certainError;
    if (tested.kind === 'known') {
      if (typeof tested.value !== 'boolean') return certainError;
      return (tested.value ? then : otherwise)(environment);
    }
    const [one, other] = [then(environment), otherwise(environment)];
    const testOutcomes = asBooleanOutcomes(tested.outcomes);
    const outcomes =
      (testOutcomes & whenError) |
      (testOutcomes & whenTrue ? outcomesOf(one) : 0) |
      (testOutcomes & whenFalse ? outcomesOf(other) : 0);
    const parts = [demanded(tested), expressionOf(one, json.then), expressionOf(other, json.else)];
    return residual(withOperands(original, parts), outcomes);
  };
}

function isBoolean({ outcomes }: Residual): boolean {
  return (outcomes & outcome.other) === 0;
}

/** Where a boolean is demanded anyway, `true && a` and `false || a` are `a`. */
export function demanded({ expression }: Residual): ExpressionJson {
  for (const [operator, neutral] of [
    ['&&', true],
    ['||', false],
  ] as const) {
    const chain = expression[operator] as BinaryJson | undefined;
    if (chain?.left['Value'] === neutral) return chain.right;
  }
  return expression;
}
