import { parseArgs } from 'node:util';
import {
  type AuditRecord,
  auditRecordSchema,
  decodeBundle,
  entryTiles,
  type LogSource,
  tileSize,
} from '@behalf/audit';
import { adminUsage } from '../admin-client.js';
import { HttpLog, logOptions } from '../audit/http-log.js';
import { LogFolder } from '../audit/log-folder.js';
import { parseOrExplain, UsageError } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { buildChain, recordsOfChain } from './build-chain.js';
import { describeChain } from './describe-chain.js';

export const chainUsage = `behalf chain <txn | trace id>

  Who acted for whom, where, with which scopes, how it was decided and how long it took, as the audit log has it.

  --log <folder>     an exported log, instead of the authorization server's (--scope audit:read is enough for that)
  --last <n>         look at so many records, the newest (20000)

${adminUsage}`;

/** Runs `chain`. Believes the log: `audit verify` says whether it is sound. @throws UsageError, AdminRefused */
export async function runChainCommand(
  args: string[],
  environment: Record<string, string | undefined>,
): Promise<CommandResult> {
  const { values, positionals } = parseOrExplain(chainUsage, () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...logOptions,
        log: { type: 'string' },
        last: { type: 'string', default: '20000' },
      },
    }),
  );
  const [id, ...others] = positionals;
  const last = Number(values.last);
  if (id === undefined || others.length > 0 || !Number.isInteger(last) || last < 1)
    throw new UsageError(chainUsage);
  const source = values.log === undefined ? new HttpLog(values, environment) : new LogFolder(values.log);
  const chain = buildChain(recordsOfChain(await readLatest(source, last), id));
  if (chain.length === 0) return { output: values.json ? '[]' : 'nothing is recorded of it', failed: true };
  return { output: values.json ? JSON.stringify(chain, undefined, 2) : describeChain(chain), failed: false };
}

async function readLatest(source: LogSource, count: number): Promise<AuditRecord[]> {
  // The second line of a checkpoint is how many records there are.
  const size = Number((await source.checkpoint()).split('\n')[1]);
  if (!Number.isInteger(size) || size < 0) throw new Error('the log has no checkpoint');
  const first = Math.max(0, size - count);
  const tiles = entryTiles(size).filter(({ index, width }) => index * tileSize + width > first);
  const records: AuditRecord[] = [];
  for (const tile of tiles) {
    for (const leaf of decodeBundle(await source.tile(tile)))
      records.push(auditRecordSchema.parse(JSON.parse(leaf)));
  }
  return records;
}
