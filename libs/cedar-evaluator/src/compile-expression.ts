import { type Code, type Compiler, type OperatorCompiler, PolicyNotCompiled } from './code.js';
import { arithmeticOperators } from './compile-arithmetic.js';
import { attributeOperators } from './compile-attributes.js';
import { comparisonOperators } from './compile-comparison.js';
import { compileExtensionCall } from './compile-extension-call.js';
import { hierarchyOperators } from './compile-hierarchy.js';
import { literalOperators } from './compile-literals.js';
import { logicOperators } from './compile-logic.js';
import { setOperators } from './compile-sets.js';
import { textOperators } from './compile-text.js';
import { operatorOf } from './expression-parts.js';
import type { ExpressionJson } from './policy-json.js';

const operators: ReadonlyMap<string, OperatorCompiler> = new Map(
  Object.entries<OperatorCompiler>({
    ...literalOperators,
    ...logicOperators,
    ...comparisonOperators,
    ...arithmeticOperators,
    ...hierarchyOperators,
    ...attributeOperators,
    ...setOperators,
    ...textOperators,
  }),
);

/** One operator over operands that the compiler knows how to get. @throws PolicyNotCompiled */
export function compileOperator(operator: string, body: unknown, compiler: Compiler): Code {
  const compileKnown = operators.get(operator);
  if (compileKnown !== undefined) return compileKnown(body as never, compiler);
  if (!Array.isArray(body)) throw new PolicyNotCompiled(`there is no operator ${operator}`);
  return compileExtensionCall(operator, body as ExpressionJson[], compiler);
}

/**
 * Turns an expression of Cedar's JSON form into a closure, once. Evaluating it looks at no JSON again.
 *
 * @throws PolicyNotCompiled
 */
export function compileExpression(expression: ExpressionJson): Code {
  return compileOperator(...operatorOf(expression), { compile: compileExpression });
}
