/** What an expression is whatever the request: true, false, or undefined when that depends. Errors do not occur in it. */
export function constantOf(expression: unknown): boolean | undefined {
  if (!isObject(expression)) return undefined;
  if (typeof expression['Value'] === 'boolean') return expression['Value'];
  const not = operandsOf(expression, '!');
  if (not !== undefined) {
    const value = constantOf(not['arg']);
    return value === undefined ? undefined : !value;
  }
  const and = operandsOf(expression, '&&');
  if (and !== undefined) return combine(and, false);
  const or = operandsOf(expression, '||');
  if (or !== undefined) return combine(or, true);
  return undefined;
}

/** `settled` is the value that decides alone. On the right it does not: the left may err first. */
function combine({ left, right }: Record<string, unknown>, settled: boolean): boolean | undefined {
  const [one, other] = [constantOf(left), constantOf(right)];
  if (one === settled) return settled;
  if (one === !settled) return other;
  // A conjunction with false on the right is false or errs, and neither matches.
  return other === settled && !settled ? settled : undefined;
}

function operandsOf(
  expression: Record<string, unknown>,
  operator: string,
): Record<string, unknown> | undefined {
  const operands = expression[operator];
  return isObject(operands) ? operands : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
