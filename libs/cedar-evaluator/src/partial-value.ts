import type { Environment } from './environment.js';
import { EvaluationError } from './evaluation-error.js';
import { literalExpression } from './literal-expression.js';
import type { OpenRecord } from './open-record.js';
import type { ExpressionJson } from './policy-json.js';
import type { Value } from './value.js';

/** What an expression may turn out to be once everything is known; a set of these bits. Never too few of them. */
export const outcome = { true: 1, false: 2, other: 4, error: 8 } as const;
export const anyOutcome = 15;

/** An expression whose value hangs on what is not known. */
export interface Residual {
  readonly kind: 'residual';
  /** What is left of it: evaluates to the same as the whole, whatever the unknown turns out to be. */
  readonly expression: ExpressionJson;
  readonly outcomes: number;
  /** Set when it stands for a record of which something is known. */
  readonly record?: OpenRecord;
}

export type PartialValue =
  | { readonly kind: 'known'; readonly value: Value }
  /** It errs, whatever the unknown turns out to be. */
  | { readonly kind: 'error' }
  | Residual;

/** An environment whose context is not known in full. */
export interface OpenEnvironment extends Environment {
  readonly openContext: OpenRecord;
}
export type PartialRun = (environment: OpenEnvironment) => PartialValue;

export const certainError: PartialValue = { kind: 'error' };

export function known(value: Value): PartialValue {
  return { kind: 'known', value };
}

export function residual(expression: ExpressionJson, outcomes: number): Residual {
  return { kind: 'residual', expression, outcomes };
}

/** What evaluating comes to, with its errors as values. */
export function settle(run: () => Value): PartialValue {
  try {
    return known(run());
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return certainError;
  }
}

export function outcomesOf(value: PartialValue): number {
  if (value.kind === 'residual') return value.outcomes;
  if (value.kind === 'error') return outcome.error;
  if (typeof value.value !== 'boolean') return outcome.other;
  return value.value ? outcome.true : outcome.false;
}

/** Of something that has to be a boolean: where it is none, that is an error. */
export function asBooleanOutcomes(outcomes: number): number {
  return outcomes & outcome.other ? (outcomes & ~outcome.other) | outcome.error : outcomes;
}

/** What stands for an operand in what is left. One that certainly errs stays as it is, to err there, too. */
export function expressionOf(value: PartialValue, original: ExpressionJson): ExpressionJson {
  if (value.kind === 'known') return 'Value' in original ? original : literalExpression(value.value);
  return value.kind === 'residual' ? value.expression : original;
}
