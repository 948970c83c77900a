import { Environment } from '@marcbachmann/cel-js';

const cel = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
})
  .registerVariable('claims', 'map')
  .registerVariable('client', 'string');

/** True when a token's claims, presented by a client, are what the operator wants to see. */
export type Condition = (claims: Record<string, unknown>, client: string) => boolean;

/**
 * Compiles a condition in CEL over `claims` and `client`. A condition that errs on a token, or comes to anything but
 * true, does not hold.
 *
 * @throws Error for a text that is no CEL, or can never be true or false
 */
export function compileCondition(text: string): Condition {
  const program = cel.parse(text);
  const { valid, type, error } = program.check();
  if (!valid) throw error ?? new Error('the condition does not type');
  if (type !== 'bool' && type !== 'dyn') throw new Error('the condition is neither true nor false');
  return (claims, client) => {
    try {
      return program({ claims, client }) === true;
    } catch {
      return false;
    }
  };
}
