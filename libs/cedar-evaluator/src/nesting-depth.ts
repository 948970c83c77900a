/**
 * How deep a JSON value nests, counted without recursion, so that asking cannot itself overflow the stack. Compilers
 * and evaluators are recursive, and the one inside WebAssembly does not survive running out of stack.
 */
export function nestingDepth(json: unknown): number {
  let depth = 0;
  let level: unknown[] = [json];
  while (level.length > 0) {
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
    );
    depth += 1;
  }
  return depth - 1;
}
