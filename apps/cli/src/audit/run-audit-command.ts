import { readFile, stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { NatsBus } from '@behalf/adapter-nats';
import {
  type LogSource,
  type NoteVerifier,
  type SignedHead,
  decodeBundle,
  formatReceipt,
  hasGrownFrom,
  openCheckpoint,
  parseReceipt,
  parseVerifier,
  proveFromLog,
  tileSize,
  verifyLog,
  verifyReceipt,
} from '@behalf/audit';
import { z } from 'zod';
import { AdminClient, adminUsage } from '../admin-client.js';
import { UsageError, parseOrExplain } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { HttpLog, logOptions } from './http-log.js';
import { LogFolder, saveLog } from './log-folder.js';
import { runWitness } from './run-witness.js';

export const auditUsage = `behalf audit <command>

  key                                  the log's verifier key, to be kept where the log cannot change it
  export <folder> --key <key>          the whole log, verified before it is there; later again, to see that it only grew
  verify [<folder>] --key <key>        every byte of an exported log; without a folder, of the log itself
      --seen <checkpoint file>         and that it holds all that it held at this checkpoint, such as a witness's
  prove [<folder>] --key <key> --leaf <n> [--out <file>]
                                       a receipt: a record, and what shows that it is in the log
  verify <file>.tlog-proof --key <key> [--record <file>]
                                       a receipt; asks nobody
  witness <folder> --key <key> [--name <name>] [--interval <seconds>] [--once]
                                       follows the log and signs each head that holds all it has signed before;
                                       ends with 1 when the log was forked or rolled back
      --nats <url> --nats-key <file> [--nats-ca <file>]
                                       and looks at every head that the services are told of, when they are

  --key may repeat: a witness's, too. --scope audit:read is enough for all of these, and audit:witness for witness.

${adminUsage}`;

/** Runs one `audit` command. @throws UsageError, AdminRefused */
export async function runAuditCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const { name, operand, options } = parse(args);
  const { scope, ...admin } = options;
  const print = (data: object, text: string, failed = false): CommandResult => ({
    output: options.json ? JSON.stringify(data, undefined, 2) : text,
    failed,
  });
  if (name === 'key') {
    const client = await AdminClient.open(admin, environment, scope);
    const { verifier } = await client.ask('GET', '/audit/key', z.object({ verifier: z.string() }));
    return print({ verifier }, verifier);
  }
  if (options.key.length === 0) throw new UsageError(auditUsage);
  const verifiers = options.key.map(parseKey);
  const online = new HttpLog(options, environment);
  if (name === 'witness') {
    const events = await openEvents(options);
    const watching = runWitness(online, required(operand), verifiers, { ...options, events });
    return watching.finally(() => events?.close());
  }

  try {
    switch (name) {
      case 'export':
        return describe(await saveLog(online, new LogFolder(required(operand)), verifiers), print);
      case 'verify':
        if (operand?.endsWith('.tlog-proof'))
          return await verifyFile(operand, options.record, verifiers, print);
        return describe(await verify(await open(operand, online), options.seen, verifiers), print);
      case 'prove':
        return await prove(await open(operand, online), verifiers, options, print);
      default:
        throw new UsageError(auditUsage);
    }
  } catch (error) {
    // What keeps it from finding out is no finding.
    if (!(error instanceof Error) || error.constructor !== Error) throw error;
    const problem = error.message;
    return print({ sound: false, problem }, `NOT SOUND: ${problem}`, true);
  }
}

type Print = (data: object, text: string, failed?: boolean) => CommandResult;

async function open(folder: string | undefined, online: LogSource): Promise<LogSource> {
  if (folder === undefined) return online;
  if (!(await stat(folder)).isDirectory()) throw new UsageError(`${folder} is no folder`);
  return new LogFolder(folder);
}

async function verify(
  source: LogSource,
  seen: string | undefined,
  verifiers: readonly NoteVerifier[],
): Promise<SignedHead> {
  const head = await verifyLog(source, verifiers);
  if (seen === undefined) return head;
  const { checkpoint } = openCheckpoint(await readFile(seen, 'utf8'), verifiers);
  if (checkpoint.origin !== head.checkpoint.origin) throw new Error(`${seen} is of another log`);
  if (!(await hasGrownFrom(checkpoint, head.checkpoint, source)))
    throw new Error(`the log does not hold what it held at ${checkpoint.size} records`);
  return head;
}

async function verifyFile(
  file: string,
  record: string | undefined,
  verifiers: readonly NoteVerifier[],
  print: Print,
): Promise<CommandResult> {
  const receipt = parseReceipt(await readFile(file, 'utf8'));
  const given = record === undefined ? undefined : (await readFile(record, 'utf8')).trimEnd();
  const { checkpoint, signers, leaf } = verifyReceipt(receipt, verifiers, given);
  const { index } = receipt;
  const { origin, size } = checkpoint;
  return print(
    { sound: true, origin, index, size, signers, record: leaf },
    `sound: record ${index} of ${size} of ${origin}, signed by ${signers.join(', ')}\n${leaf}`,
  );
}

async function prove(
  source: LogSource,
  verifiers: readonly NoteVerifier[],
  { leaf: place, out }: { leaf?: string | undefined; out?: string | undefined },
  print: Print,
): Promise<CommandResult> {
  const note = await source.checkpoint();
  const { size } = openCheckpoint(note, verifiers).checkpoint;
  const index = Number(place ?? 'none');
  if (!Number.isInteger(index) || index < 0 || index >= size)
    throw new UsageError('--leaf is the place of a record in the log');
  const from = index - (index % tileSize);
  const bundle = {
    level: 'entries',
    index: from / tileSize,
    width: Math.min(tileSize, size - from),
  } as const;
  const leaf = decodeBundle(await source.tile(bundle))[index - from];
  const receipt = { ...(await proveFromLog(source, { note, size }, index)), leaf };
  verifyReceipt(receipt, verifiers);
  const text = formatReceipt(receipt);
  if (out !== undefined) await writeFile(out, text, { mode: 0o600 });
  return print(
    { index, size, record: leaf, receipt: text },
    out === undefined ? text.trimEnd() : `${out}\n${leaf}`,
  );
}

function describe({ checkpoint, signers }: SignedHead, print: Print): CommandResult {
  const { origin, size } = checkpoint;
  const root = Buffer.from(checkpoint.root).toString('base64');
  return print(
    { sound: true, origin, size, root, signers },
    `sound: ${size} records of ${origin}, signed by ${signers.join(', ')}, root ${root}`,
  );
}

/** Where the heads of the log are heard of, with a key that hears nothing else. */
async function openEvents(options: {
  nats?: string | undefined;
  'nats-key'?: string | undefined;
  'nats-ca'?: string | undefined;
}): Promise<NatsBus | undefined> {
  const { nats: url, 'nats-key': key, 'nats-ca': caFile } = options;
  if (url === undefined) return undefined;
  const nkeySeed = key === undefined ? undefined : (await readFile(key, 'utf8')).trim();
  const onError = (what: string, error: unknown): void =>
    console.error(`${what} was not heard: ${error instanceof Error ? error.message : 'for no reason'}`);
  return NatsBus.open({
    url,
    service: 'witness',
    nkeySeed,
    caFile,
    maxInFlight: 1,
    ownsEvents: false,
    onError,
  });
}

function required(operand: string | undefined): string {
  if (operand === undefined) throw new UsageError(auditUsage);
  return operand;
}

function parseKey(key: string): NoteVerifier {
  try {
    return parseVerifier(key);
  } catch {
    throw new UsageError('--key is no verifier key');
  }
}

function parse(args: string[]) {
  const { values, positionals } = parseOrExplain(auditUsage, () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...logOptions,
        key: { type: 'string', multiple: true, default: [] },
        leaf: { type: 'string' },
        out: { type: 'string' },
        record: { type: 'string' },
        seen: { type: 'string' },
        name: { type: 'string' },
        interval: { type: 'string' },
        once: { type: 'boolean', default: false },
        nats: { type: 'string' },
        'nats-key': { type: 'string' },
        'nats-ca': { type: 'string' },
      },
    }),
  );
  const [name = '', operand] = positionals;
  return { name, operand, options: values };
}
