import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type VerifiedLog, formatExport, parseVerifier, proveLeaf, verifyExport } from '@behalf/audit';
import { z } from 'zod';
import { AdminClient, adminOptions, adminUsage } from '../admin-client.js';
import { UsageError } from '../parse-command.js';

const usage = `behalf audit <command>

  export <file> --key <verifier key>             the whole log, verified before it is written
  verify <file> --key <verifier key>             every byte of an exported log; asks nobody
  prove <file> --key <verifier key> --leaf <n>   a record, and what shows that it is in the log; asks nobody
  key                                            the log's verifier key, to be kept where the log cannot change it

  --key may repeat: a witness's, too.

${adminUsage}`;

const checkpointSchema = z.object({ size: z.number().int(), checkpoint: z.string(), verifier: z.string() });
const leavesSchema = z.object({ leaves: z.array(z.string()) });

interface Outcome {
  output: string;
  failed: boolean;
}

/** Runs one `audit` command. @throws UsageError, AdminRefused */
export async function runAuditCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<Outcome> {
  const { name, operands, options } = parse(args);
  const print = (data: object, text: string): Outcome => ({
    output: options.json ? JSON.stringify(data, undefined, 2) : text,
    failed: false,
  });
  if (name === 'key') {
    const admin = await AdminClient.open(options, environment);
    const { verifier } = await admin.ask('GET', '/audit/checkpoint', checkpointSchema);
    return print({ verifier }, verifier);
  }
  const [file] = operands;
  if (file === undefined || options.key.length === 0 || !['export', 'verify', 'prove'].includes(name))
    throw new UsageError(usage);
  const verifiers = options.key.map((key) => {
    try {
      return parseVerifier(key);
    } catch {
      throw new UsageError('--key is no verifier key');
    }
  });
  if (name === 'export') {
    const text = await fetchLog(await AdminClient.open(options, environment));
    verifyExport(text, verifiers);
    await writeFile(file, text, { mode: 0o600 });
  }
  let verified: VerifiedLog;
  try {
    verified = verifyExport(await readFile(file, 'utf8'), verifiers);
  } catch (error) {
    const problem = (error as Error).message;
    const data = { sound: false, problem };
    return { ...print(data, `NOT SOUND: ${problem}`), failed: true };
  }
  const { checkpoint, signers } = verified;
  const root = Buffer.from(checkpoint.root).toString('base64');
  if (name === 'prove') return prove(verified, options.leaf, print);
  return print(
    { sound: true, origin: checkpoint.origin, size: checkpoint.size, root, signers },
    `sound: ${checkpoint.size} records of ${checkpoint.origin}, signed by ${signers.join(', ')}, root ${root}`,
  );
}

function prove(
  verified: VerifiedLog,
  leaf: string | undefined,
  print: (data: object, text: string) => Outcome,
): Outcome {
  const index = Number(leaf ?? 'none');
  if (!Number.isInteger(index) || index < 0 || index >= verified.leaves.length)
    throw new UsageError('--leaf is the place of a record in the log');
  const proof = proveLeaf(verified, index);
  const record = verified.leaves[index] ?? '';
  return print({ index, size: verified.checkpoint.size, record, proof }, [record, ...proof].join('\n'));
}

async function fetchLog(admin: AdminClient): Promise<string> {
  const { size, checkpoint } = await admin.ask('GET', '/audit/checkpoint', checkpointSchema);
  const leaves: string[] = [];
  while (leaves.length < size) {
    const page = await admin.ask('GET', `/audit/leaves?from=${leaves.length}`, leavesSchema);
    if (page.leaves.length === 0) throw new Error('the log has fewer records than its head says');
    leaves.push(...page.leaves);
  }
  return formatExport(checkpoint, leaves.slice(0, size));
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...adminOptions,
        key: { type: 'string', multiple: true, default: [] },
        leaf: { type: 'string' },
      },
    });
    const [name = '', ...operands] = positionals;
    return { name, operands, options: values };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'malformed'}\n\n${usage}`);
  }
}
