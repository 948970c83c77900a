import type { CommandOutcome, CommandResult } from '../command-result.js';
import { UsageError } from '../parse-command.js';
import { generateTypes } from './generate-types.js';
import { diffFolders, lintFolder, testFolder } from './local-commands.js';
import { type PolicyCommand, parsePolicyCommand, policyUsage } from './parse-policy-command.js';
import { listBundles, publishFolder, replayFolder, rollBack, shadowFolder } from './service-commands.js';

/** Runs one `policy` command. @throws UsageError, and whatever kept it from finding out */
export async function runPolicyCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const command = parsePolicyCommand(args);
  const { data, text, failed } = await run(command, environment);
  return { output: command.options.json ? JSON.stringify(data, undefined, 2) : text, failed };
}

function run(
  { name, operands, options }: PolicyCommand,
  environment: Record<string, string | undefined>,
): Promise<CommandOutcome> {
  const operand = (index: number): string => {
    const value = operands[index];
    if (value === undefined) throw new UsageError(policyUsage);
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
      throw new UsageError(policyUsage);
  }
}

function required(reason: string | undefined): string {
  if (reason === undefined) throw new UsageError('--reason is needed: it is kept with the change');
  return reason;
}
