import type { AuditLeaves } from './audit-record.js';
import { encodeBundle } from './entry-bundle.js';
import { TreeEdge, hashLeaf } from './merkle-tree.js';
import { type Tile, tileSize } from './tile.js';

/** Makes a tile from where the log is kept; undefined when the log has not grown so far. */
export async function readTile(tile: Tile, log: AuditLeaves): Promise<Buffer | undefined> {
  const { level, index, width } = tile;
  const from = index * tileSize;
  if (level === 'entries' || level === 0) {
    const leaves = await log.leaves(from, width);
    if (leaves.length < width) return undefined;
    return level === 0 ? Buffer.concat(leaves.map((leaf) => hashLeaf(leaf))) : encodeBundle(leaves);
  }
  // The log keeps the hash of every 256 leaves; of those of so many each hash of this level is made.
  const below = tileSize ** (level - 1);
  const hashes: Uint8Array[] = [];
  for (let place = from; place < from + width; place++) {
    const roots = await log.tileRoots(place * below, below);
    if (roots.length < below) return undefined;
    hashes.push(TreeEdge.empty.append(roots).root);
  }
  return Buffer.concat(hashes);
}
