import type { Environment } from './environment.js';
import { EvaluationError } from './evaluation-error.js';
import type { ExpressionJson } from './policy-json.js';
import type { Value } from './value.js';

/** @throws EvaluationError */
export type Run = (environment: Environment) => Value;

/** A compiled expression. A constant one never looks at its environment. */
export interface Code {
  readonly run: Run;
  readonly isConstant: boolean;
}

/** What compiling an operator needs besides the operator. */
export interface Compiler {
  compile(expression: ExpressionJson): Code;
}

/** Compiles what stands under one operator's name. Its shape was checked by Cedar's own parser. */
export type OperatorCompiler = (body: never, compiler: Compiler) => Code;

/** A policy cannot be compiled: an operator, function or slot that is not there. */
export class PolicyNotCompiled extends Error {
  override readonly name = 'PolicyNotCompiled';
}

export function constant(value: Value): Code {
  return { run: () => value, isConstant: true };
}

/**
 * Code that applies `run` to its operands. With constant operands it is evaluated here, once, and what it throws is
 * kept for when the policy gets there: a constant that errs behind `false &&` errs never.
 */
export function operation(operands: readonly Code[], run: Run): Code {
  if (!operands.every((operand) => operand.isConstant)) return { run, isConstant: false };
  try {
    return constant(run(noEnvironment));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return {
      run: () => {
        throw error;
      },
      isConstant: true,
    };
  }
}

const noEnvironment = undefined as unknown as Environment;
