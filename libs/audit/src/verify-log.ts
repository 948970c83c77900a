import { canonicalJson } from '@behalf/i-json';
import { auditRecordSchema } from './audit-record.js';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { decodeBundle } from './entry-bundle.js';
import { type LogSource, readHashes } from './log-source.js';
import { TreeEdge, hashLeaf } from './merkle-tree.js';
import { type NoteVerifier, openNote } from './signed-note.js';
import { entryTiles, formatTilePath, tileSize } from './tile.js';

export interface SignedHead {
  checkpoint: Checkpoint;
  signers: string[];
}

/** @throws Error for what is no checkpoint, or is not signed by any of these */
export function openCheckpoint(note: string, verifiers: readonly NoteVerifier[]): SignedHead {
  const { text, signers } = openNote(note, verifiers);
  if (signers.length === 0) throw new Error('the checkpoint is not signed by a key that was given');
  return { checkpoint: parseCheckpoint(text), signers };
}

/**
 * Reads a log whole and verifies it: every byte of every record, and every hash of every tile, is what the signed head
 * says. A record that was changed, dropped, added or moved, and a tile that ends early, are faults.
 *
 * Does not tell whether the log goes on after this head, nor that others were shown the same log: that is what
 * witnesses are for.
 *
 * @throws Error that says what is wrong
 */
export async function verifyLog(source: LogSource, verifiers: readonly NoteVerifier[]): Promise<SignedHead> {
  const head = openCheckpoint(await source.checkpoint(), verifiers);
  const tiles = new TileCheck(source);
  let edge = TreeEdge.empty;
  for (const tile of entryTiles(head.checkpoint.size)) {
    const leaves = decodeBundle(await source.tile(tile));
    if (leaves.length !== tile.width)
      throw new Error(`${formatTilePath(tile)} has ${leaves.length} records, and should have ${tile.width}`);
    for (const [n, leaf] of leaves.entries()) checkLeaf(leaf, edge.size + n);
    const hashes = leaves.map((leaf) => hashLeaf(leaf));
    edge = edge.append(hashes);
    await tiles.add(0, hashes);
  }
  await tiles.end();
  if (Buffer.compare(edge.root, head.checkpoint.root) !== 0)
    throw new Error('the records are not those of the checkpoint');
  return head;
}

/** Compares the tiles of hashes with what the records make. */
class TileCheck {
  readonly #levels: { index: number; hashes: Uint8Array[] }[] = [];

  constructor(private readonly source: LogSource) {}

  async add(level: number, hashes: readonly Uint8Array[]): Promise<void> {
    const tile = (this.#levels[level] ??= { index: 0, hashes: [] });
    tile.hashes.push(...hashes);
    if (tile.hashes.length < tileSize) return;
    await this.#check(level);
    const { root } = TreeEdge.empty.append(tile.hashes);
    this.#levels[level] = { index: tile.index + 1, hashes: [] };
    await this.add(level + 1, [root]);
  }

  async end(): Promise<void> {
    for (const [level, { hashes }] of this.#levels.entries()) if (hashes.length > 0) await this.#check(level);
  }

  async #check(level: number): Promise<void> {
    const { index, hashes } = this.#levels[level]!;
    const tile = { level, index, width: hashes.length };
    if (Buffer.compare(await readHashes(this.source, tile), Buffer.concat(hashes)) !== 0)
      throw new Error(`${formatTilePath(tile)} is not what its records make`);
  }
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
