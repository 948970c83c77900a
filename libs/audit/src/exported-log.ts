import { canonicalJson } from '@behalf/i-json';
import { auditRecordSchema } from './audit-record.js';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { proveInclusion } from './merkle-proof.js';
import { TreeEdge, hashLeaf } from './merkle-tree.js';
import { type NoteVerifier, openNote } from './signed-note.js';

const format = 'behalf-audit-log-1';

/** A whole log as one text: what it is, its signed head, and a leaf a line. */
export function formatExport(note: string, leaves: readonly string[]): string {
  return [JSON.stringify({ format, checkpoint: note }), ...leaves].map((line) => `${line}\n`).join('');
}

export interface VerifiedLog {
  checkpoint: Checkpoint;
  signers: string[];
  leaves: string[];
}

/**
 * Verifies an exported log without asking anybody: every byte of every record is what the signed head says. A record
 * that was changed, dropped, added or moved, and a file that ends early, are faults.
 *
 * Does not tell whether the log goes on after this head, nor that others were shown the same log: that is what
 * witnesses are for.
 *
 * @throws Error that says what is wrong
 */
export function verifyExport(text: string, verifiers: readonly NoteVerifier[]): VerifiedLog {
  if (!text.endsWith('\n')) throw new Error('the file ends in the middle of a line');
  const [head = '', ...leaves] = text.slice(0, -1).split('\n');
  const { text: signed, signers } = openNote(noteOf(head), verifiers);
  if (signers.length === 0) throw new Error('the checkpoint is not signed by a key that was given');
  const checkpoint = parseCheckpoint(signed);
  if (leaves.length !== checkpoint.size)
    throw new Error(`the log has ${checkpoint.size} records, the file has ${leaves.length}`);
  const { root } = TreeEdge.empty.append(leaves.map((leaf) => hashLeaf(leaf)));
  if (Buffer.compare(root, checkpoint.root) !== 0)
    throw new Error('the records are not those of the checkpoint');
  for (const [index, leaf] of leaves.entries()) checkLeaf(leaf, index);
  return { checkpoint, signers, leaves };
}

/** Shows of one leaf that it is in the log. @throws RangeError */
export function proveLeaf({ leaves, checkpoint }: VerifiedLog, index: number): string[] {
  const hashes = leaves.map((leaf) => hashLeaf(leaf));
  const known = (from: number, to: number) => (to - from === 1 ? hashes[from] : undefined);
  return proveInclusion(index, checkpoint.size, known).map((node) => Buffer.from(node).toString('base64'));
}

function noteOf(head: string): string {
  const parsed = parseJson(head) as { format?: unknown; checkpoint?: unknown } | null | undefined;
  if (parsed?.format !== format || typeof parsed.checkpoint !== 'string')
    throw new Error('this is no exported audit log');
  return parsed.checkpoint;
}

function checkLeaf(leaf: string, index: number): void {
  const record = auditRecordSchema.safeParse(parseJson(leaf));
  if (!record.success || canonicalJson(parseJson(leaf)) !== leaf)
    throw new Error(`record ${index} is no audit record`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
