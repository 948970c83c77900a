import { type LogSource, proveFromTiles } from './log-source.js';
import { proveInclusion, verifyInclusion } from './merkle-proof.js';
import { hashLeaf } from './merkle-tree.js';
import type { NoteVerifier } from './signed-note.js';
import { type SignedHead, openCheckpoint } from './verify-log.js';

const firstLine = 'c2sp.org/tlog-proof@v1';

/** What shows that one record is in the log, to whoever has the log's key. @see c2sp.org/tlog-proof */
export interface InclusionReceipt {
  index: number;
  proof: readonly Uint8Array[];
  /** The signed head that the proof leads to. */
  note: string;
  /** The record itself, where the receipt has it. */
  leaf?: string | undefined;
}

export function formatReceipt({ index, proof, note, leaf }: InclusionReceipt): string {
  const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString('base64');
  const lines = [
    firstLine,
    ...(leaf === undefined ? [] : [`extra ${base64(leaf)}`]),
    `index ${index}`,
    ...proof.map(base64),
  ];
  return `${lines.join('\n')}\n\n${note}`;
}

/** @throws Error */
export function parseReceipt(text: string): InclusionReceipt {
  const [, extra, index, hashes = '', note = ''] =
    /^c2sp\.org\/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/]+={0,2})\n)?index (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n([^]+)$/.exec(
      text,
    ) ?? [];
  if (index === undefined) throw new Error('this is no receipt');
  const proof = hashes
    .split('\n')
    .slice(0, -1)
    .map((hash) => Buffer.from(hash, 'base64'));
  const leaf = extra === undefined ? undefined : Buffer.from(extra, 'base64').toString('utf8');
  const receipt = { index: Number(index), proof, note, leaf };
  // Base64 has bits that say nothing: what was changed there would pass.
  if (formatReceipt(receipt) !== text) throw new Error('this is no receipt');
  return receipt;
}

/**
 * Shows of one record that it is in the log that a head was signed of. Asks nobody.
 *
 * @param leaf the record, for a receipt without it
 * @throws Error that says what is wrong
 */
export function verifyReceipt(
  receipt: InclusionReceipt,
  verifiers: readonly NoteVerifier[],
  leaf = receipt.leaf,
): SignedHead & { leaf: string } {
  if (leaf === undefined) throw new Error('the record is needed, which the receipt does not have');
  const head = openCheckpoint(receipt.note, verifiers);
  const { size, root } = head.checkpoint;
  if (!verifyInclusion(hashLeaf(leaf), receipt.index, size, receipt.proof, root))
    throw new Error('the record is not at this place of the log');
  return { ...head, leaf };
}

/** @param size as of the note @throws RangeError */
export async function proveFromLog(
  source: LogSource,
  { note, size }: { note: string; size: number },
  index: number,
): Promise<InclusionReceipt> {
  const proof = await proveFromTiles(source, size, (known) => proveInclusion(index, size, known));
  return { index, proof, note };
}
