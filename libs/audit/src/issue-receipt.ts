import type { RecordReader } from '@behalf/ports';
import type { AuditLeaves, AuditPlace } from './audit-record.js';
import { formatReceipt, proveFromLog } from './inclusion-receipt.js';
import { hashLeaf } from './merkle-tree.js';
import { readPublishedHead } from './published-head.js';
import { readTile } from './read-tile.js';
import { formatTilePath } from './tile.js';

/**
 * A receipt of the record at a place, under the head that was published last, without the record itself.
 *
 * Does not ask who may have it: it says nothing to whoever does not have the record already.
 *
 * @returns `unknown` when another record is there, or none; `too_early` when no head covers it yet
 */
export async function issueReceipt(
  { index, leafHash }: AuditPlace,
  records: RecordReader,
  log: AuditLeaves,
): Promise<{ receipt: string } | 'unknown' | 'too_early'> {
  const [leaf] = await log.leaves(index, 1);
  // Of somebody else's record not even the place in the tree: who can name its hash has it.
  if (leaf === undefined || hashLeaf(leaf).toString('base64url') !== leafHash) return 'unknown';
  const head = await readPublishedHead(records);
  if (head === undefined || head.size <= index) return 'too_early';
  const { size, checkpoint: note } = head;
  const source = {
    checkpoint: async () => note,
    tile: async (tile: Parameters<typeof readTile>[0]) => {
      const bytes = await readTile(tile, log);
      if (!bytes) throw new Error(`the audit log has lost ${formatTilePath(tile)}`);
      return bytes;
    },
  };
  return { receipt: formatReceipt(await proveFromLog(source, { note, size }, index)) };
}
