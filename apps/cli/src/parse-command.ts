import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What `parseArgs` made of a command line. @throws UsageError with how it should be used */
export function parseOrExplain<T>(usageText: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'malformed'}\n\n${usageText}`);
  }
}

/** A command of a group, as in `behalf agents <name> <operand>`. @throws UsageError */
export function parseGroupCommand<const O extends NonNullable<ParseArgsConfig['options']>>(
  usageText: string,
  args: string[],
  known: O,
) {
  const parsed = parseOrExplain(usageText, () => parseArgs({ args, allowPositionals: true, options: known }));
  const { values: options, positionals } = parsed;
  const [name, ...operands] = positionals;
  if (name === undefined) throw new UsageError(usageText);
  return { name, operands, options };
}
