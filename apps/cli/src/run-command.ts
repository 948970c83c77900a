import { runAgentsCommand } from './agents/run-agents-command.js';
import { runAuditCommand } from './audit/run-audit-command.js';
import { runChainCommand } from './chain/run-chain-command.js';
import { runExplainCommand } from './explain/run-explain-command.js';
import { runGrantsCommand } from './grants/run-grants-command.js';
import { diffFolders, lintFolder, testFolder } from './local-commands.js';
import { generateTypes } from './generate-types.js';
import { type Command, UsageError, parseCommand, usage } from './parse-command.js';
import { listBundles, publishFolder, replayFolder, rollBack, shadowFolder } from './service-commands.js';
import { runVaultCommand } from './vault/run-vault-command.js';

export interface CommandResult {
  output: string;
  /** A test failed, a bundle has faults: what the command was asked to find out. */
  failed: boolean;
}

export interface CommandOutcome {
  /** For programs. */
  data: unknown;
  /** For people. */
  text: string;
  failed: boolean;
}

/** Runs one command. @throws UsageError, and whatever kept it from finding out */
export async function runCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  if (args[0] === 'agents') return runAgentsCommand(args.slice(1), environment);
  if (args[0] === 'audit') return runAuditCommand(args.slice(1), environment);
  if (args[0] === 'chain') return runChainCommand(args.slice(1), environment);
  if (args[0] === 'explain') return runExplainCommand(args.slice(1), environment);
  if (args[0] === 'grants') return runGrantsCommand(args.slice(1), environment);
  if (args[0] === 'vault') return runVaultCommand(args.slice(1), environment);
  const command = parseCommand(args);
  const { data, text, failed } = await run(command, environment);
  return { output: command.options.json ? JSON.stringify(data, undefined, 2) : text, failed };
}

function run(
  { name, operands, options }: Command,
  environment: Record<string, string | undefined>,
): Promise<CommandOutcome> {
  const operand = (index: number): string => {
    const value = operands[index];
    if (value === undefined) throw new UsageError(usage);
    return value;
  };
  const service = () => ({
    url: options.url ?? environment['BEHALF_POLICY_URL'] ?? 'http://localhost:4002',
    token: environment['BEHALF_TOKEN'],
  });
  switch (name) {
    case 'test':
      return testFolder(operand(0), options.table);
    case 'lint':
      return lintFolder(operand(0), options.tool);
    case 'diff':
      return diffFolders(operand(0), operand(1));
    case 'types':
      return generateTypes(operand(0));
    case 'list':
      return listBundles(service());
    case 'publish':
      return publishFolder(service(), operand(0), required(options.reason), options.expect);
    case 'rollback':
      return rollBack(service(), operands[0], required(options.reason));
    case 'replay':
      return replayFolder(service(), operand(0), options.limit);
    case 'shadow':
      return shadowFolder(service(), operand(0));
    default:
      throw new UsageError(usage);
  }
}

function required(reason: string | undefined): string {
  if (reason === undefined) throw new UsageError('--reason is needed: it is kept with the change');
  return reason;
}
