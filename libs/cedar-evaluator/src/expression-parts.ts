import type { ExpressionJson } from './policy-json.js';
import { PolicyNotCompiled } from './code.js';

type Body = Record<string, unknown>;

/** The one operator of an expression and what stands under it. @throws PolicyNotCompiled */
export function operatorOf(expression: ExpressionJson): [operator: string, body: unknown] {
  const [operator, ...more] = Object.keys(expression);
  if (operator === undefined || more.length > 0)
    throw new PolicyNotCompiled('an expression is not one operator');
  return [operator, expression[operator]];
}

const leaves = new Set(['Value', 'Var']);
const operandNames = ['left', 'right', 'arg', 'if', 'then', 'else', 'in'];

/** The expressions right below an expression. */
export function operandsOf(operator: string, body: unknown): ExpressionJson[] {
  if (leaves.has(operator)) return [];
  if (Array.isArray(body)) return body as ExpressionJson[];
  if (operator === 'Record') return Object.values(body as Record<string, ExpressionJson>);
  return operandNames
    .map((name) => (body as Record<string, ExpressionJson | undefined>)[name])
    .filter((operand) => operand !== undefined);
}

/**
 * The same expression with other operands, in the order of `operandsOf`. With its own it is itself, so that what nothing
 * was filled into can be told by identity.
 */
export function withOperands(
  expression: ExpressionJson,
  operands: readonly ExpressionJson[],
): ExpressionJson {
  const [operator, body] = operatorOf(expression);
  const own = operandsOf(operator, body);
  if (own.every((operand, index) => operand === operands[index])) return expression;
  if (Array.isArray(body)) return { [operator]: operands };
  const all = Object.keys(body as Body);
  if (operator === 'Record')
    return { Record: Object.fromEntries(all.map((name, index) => [name, operands[index]])) };
  const named = operandNames.filter((name) => (body as Body)[name] !== undefined);
  return { [operator]: { ...(body as Body), ...Object.fromEntries(named.map((n, i) => [n, operands[i]])) } };
}

/** Whether evaluating it can look at the request's context. */
export function readsContext(expression: ExpressionJson): boolean {
  const [operator, body] = operatorOf(expression);
  if (operator === 'Var') return body === 'context';
  return operandsOf(operator, body).some(readsContext);
}
