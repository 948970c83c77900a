import { parseGroupCommand } from '../parse-command.js';

export const policyUsage = `behalf policy <command>

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

export type PolicyCommand = ReturnType<typeof parsePolicyCommand>;

/** @throws UsageError */
export function parsePolicyCommand(args: string[]) {
  return parseGroupCommand(policyUsage, args, {
    json: { type: 'boolean', default: false },
    url: { type: 'string' },
    reason: { type: 'string' },
    expect: { type: 'string' },
    table: { type: 'string' },
    limit: { type: 'string' },
    tool: { type: 'string', multiple: true, default: [] },
  });
}
