import { adminOptions, adminUsage } from '../admin-client.js';
import { parseGroupCommand } from '../parse-command.js';

export const grantsUsage = `behalf grants <command>

  create --person <sub> --agent <client_id> --resource <URL> --scope <scope> --purpose <text> [--seconds <n>]
         let an agent act for a person
  list [--person <sub>] [--agent <client_id>] [--resource <URL>]
         who may act for whom, and when they last did
  show <grant>
  narrow <grant> [--scope <scope>] [--until <date>]
         leave only this; what the agent holds by the grant ends at once
  revoke <grant>
         end a grant, and every token that stands on it

  --scope may repeat.

${adminUsage}`;

export type GrantsCommand = ReturnType<typeof parseGrantsCommand>;
export type GrantsOptions = GrantsCommand['options'];

/** @throws UsageError */
export function parseGrantsCommand(args: string[]) {
  return parseGroupCommand(grantsUsage, args, {
    ...adminOptions,
    person: { type: 'string' },
    agent: { type: 'string' },
    resource: { type: 'string' },
    scope: { type: 'string', multiple: true, default: [] },
    purpose: { type: 'string' },
    seconds: { type: 'string' },
    until: { type: 'string' },
  });
}
