import { parseArgs } from 'node:util';

export const usage = `behalf policy <command>

  test <folder> [--table <file>]      run the tables of tests in a folder of policies (tests.yaml)
  lint <folder> [--tool server/name]  validate policies, and look for what is hardly meant
  diff <folder> <folder>              what is different, policy by policy
  types <file>                        the Cedar type of tools' arguments, from JSON: {"<server>": <result of tools/list>}

These ask a policy service (--url, token in BEHALF_TOKEN with the scope policy:admin):

  list                                bundles that were live, the newest first
  publish <folder> --reason <text>    make a folder's policies decide  [--expect <version>]
  rollback [<version>] --reason <text>
  replay <folder>                     what recorded decisions would have been  [--limit <n>]
  shadow <folder | off>               compare with the live policies, enforcing nothing

  --json prints what a program can read.`;

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
export function parseGroupCommand<O>(usageText: string, parse: () => { values: O; positionals: string[] }) {
  const { values, positionals } = parseOrExplain(usageText, parse);
  const [name, ...operands] = positionals;
  if (name === undefined) throw new UsageError(usageText);
  return { name, operands, options: values };
}

export interface Command {
  name: string;
  operands: string[];
  options: {
    json: boolean;
    url?: string | undefined;
    reason?: string | undefined;
    expect?: string | undefined;
    table?: string | undefined;
    limit?: string | undefined;
    tool: string[];
  };
}

/** @throws UsageError */
export function parseCommand(args: string[]): Command {
  const { values, positionals } = parseOrExplain(usage, () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        url: { type: 'string' },
        reason: { type: 'string' },
        expect: { type: 'string' },
        table: { type: 'string' },
        limit: { type: 'string' },
        tool: { type: 'string', multiple: true, default: [] },
      },
    }),
  );
  const [group, name, ...operands] = positionals;
  if (group !== 'policy' || name === undefined)
    throw new UsageError(
      `${usage}\n\nbehalf agents <command>: see behalf agents\nbehalf grants <command>: see behalf grants\nbehalf vault <command>: see behalf vault\nbehalf chain <txn>: who acted for whom in one chain of calls\nbehalf explain: why an exchange is, or is not, permitted`,
    );
  return { name, operands, options: values };
}
