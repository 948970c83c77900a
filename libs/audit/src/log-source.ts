import { hashLeaf, type KnownHash } from './merkle-tree.js';
import { proveConsistency, verifyConsistency, type TreeHead } from './merkle-proof.js';
import { type Tile, formatTilePath, tileAround, tileSize } from './tile.js';

const hashBytes = 32;

/** Where a log is read, whoever has it: its owner, or a folder. Nothing it says is taken for granted. */
export interface LogSource {
  /** The signed head. */
  checkpoint(): Promise<string>;
  /** @throws when it is not there */
  tile(tile: Tile): Promise<Uint8Array>;
}

/** Gets the tiles that a proof is made of. What is computed from them is as good as they are: verify it. */
export async function proveFromTiles<T>(
  source: LogSource,
  size: number,
  prove: (known: KnownHash) => T,
): Promise<T> {
  const tiles = new Map<string, Uint8Array>();
  const unknown = hashLeaf('');
  for (;;) {
    const missing = new Map<string, Tile>();
    const proven = prove((from, to) => {
      const level = Math.log2(to - from) / Math.log2(tileSize);
      if (!Number.isInteger(level)) return undefined;
      const place = from / (to - from);
      const tile = tileAround(size, level, place);
      const path = formatTilePath(tile);
      const hashes = tiles.get(path);
      if (!hashes) missing.set(path, tile);
      const at = (place % tileSize) * hashBytes;
      return hashes?.subarray(at, at + hashBytes) ?? unknown;
    });
    if (missing.size === 0) return proven;
    for (const [path, tile] of missing) tiles.set(path, await readHashes(source, tile));
  }
}

/** @throws Error for a tile of another length than its own */
export async function readHashes(source: LogSource, tile: Tile): Promise<Uint8Array> {
  const hashes = await source.tile(tile);
  if (hashes.length !== tile.width * hashBytes)
    throw new Error(`${formatTilePath(tile)} is no tile of its width`);
  return hashes;
}

/** Whether the log holds all that it held at another head, unchanged. */
export async function hasGrownFrom(old: TreeHead, current: TreeHead, source: LogSource): Promise<boolean> {
  if (old.size > current.size) return false;
  const proof = await proveFromTiles(source, current.size, (known) =>
    proveConsistency(old.size, current.size, known),
  );
  return verifyConsistency(old, current, proof);
}
