import { agentsUsage } from './agents/parse-agents-command.js';
import { runAgentsCommand } from './agents/run-agents-command.js';
import { auditUsage, runAuditCommand } from './audit/run-audit-command.js';
import { chainUsage, runChainCommand } from './chain/run-chain-command.js';
import type { CommandResult } from './command-result.js';
import { explainUsage, runExplainCommand } from './explain/run-explain-command.js';
import { grantsUsage } from './grants/parse-grants-command.js';
import { runGrantsCommand } from './grants/run-grants-command.js';
import { UsageError } from './parse-command.js';
import { policyUsage } from './policy/parse-policy-command.js';
import { runPolicyCommand } from './policy/run-policy-command.js';
import { vaultUsage } from './vault/parse-vault-command.js';
import { runVaultCommand } from './vault/run-vault-command.js';

interface CommandGroup {
  purpose: string;
  usage: string;
  run: (args: string[], environment: Record<string, string | undefined>) => Promise<CommandResult>;
}

const groups: Record<string, CommandGroup> = {
  agents: { purpose: 'programs that act for people', usage: agentsUsage, run: runAgentsCommand },
  grants: { purpose: 'who may act for whom', usage: grantsUsage, run: runGrantsCommand },
  explain: {
    purpose: 'why an exchange is, or is not, permitted',
    usage: explainUsage,
    run: runExplainCommand,
  },
  policy: { purpose: 'test, publish and replay policies', usage: policyUsage, run: runPolicyCommand },
  vault: { purpose: 'connections to third parties', usage: vaultUsage, run: runVaultCommand },
  audit: { purpose: 'export, verify and prove the audit log', usage: auditUsage, run: runAuditCommand },
  chain: { purpose: 'who acted for whom in one chain of calls', usage: chainUsage, run: runChainCommand },
};

const overview = `behalf <group> <command>

${Object.entries(groups)
  .map(([name, { purpose }]) => `  ${name.padEnd(10)}${purpose}`)
  .join('\n')}

  behalf <group> --help says more.`;

/** Runs one command. @throws UsageError, and whatever kept it from finding out */
export async function runCommand(
  [name = '', ...args]: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const group = Object.hasOwn(groups, name) ? groups[name] : undefined;
  if (asksForHelp([name, ...args])) return { output: group?.usage ?? overview, failed: false };
  if (!group) throw new UsageError(overview);
  return group.run(args, environment);
}

function asksForHelp(args: string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}
