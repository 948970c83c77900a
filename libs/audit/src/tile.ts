/** So many hashes, or leaves, fill a tile. */
export const tileSize = 256;
/** More entries than a number can count need no more. */
const maxLevel = 6;

/**
 * A piece of a log that never changes: hashes of one level of the tree (0 are those of leaves, each of the next is that
 * of a whole tile below), or the entries themselves.
 *
 * @see c2sp.org/tlog-tiles
 */
export interface Tile {
  level: number | 'entries';
  index: number;
  /** Less than `tileSize` at the right edge of a tree. */
  width: number;
}

/** `tile/0/x001/234.p/5`: where a tile is, below the log. */
export function formatTilePath({ level, index, width }: Tile): string {
  const groups: string[] = [];
  let rest = index;
  do {
    groups.unshift(String(rest % 1000).padStart(3, '0'));
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  const path = groups.map((group, n) => (n < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width < tileSize ? `.p/${width}` : ''}`;
}

/** The only tile of this path; undefined for what is none. */
export function parseTilePath(path: string): Tile | undefined {
  const [, named = '', groups = '', partial] =
    /^tile\/(entries|\d)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  const level = named === 'entries' ? named : Number(named);
  const tile: Tile = {
    level,
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? tileSize : Number(partial),
  };
  // One spelling each: what is cached under two names could be served in two versions.
  const isTile = named !== '' && tile.width > 0 && (level === 'entries' || level <= maxLevel);
  return isTile && formatTilePath(tile) === path ? tile : undefined;
}

/** How many hashes a tree has on a level of tiles. */
export function widthOfLevel(size: number, level: number): number {
  return Math.floor(size / tileSize ** level);
}

/** The tile of a tree that has the hash of a level at a place. */
export function tileAround(size: number, level: number, place: number): Tile {
  const index = Math.floor(place / tileSize);
  return { level, index, width: Math.min(tileSize, widthOfLevel(size, level) - index * tileSize) };
}

/** The entries of a tree in tiles. */
export function entryTiles(size: number): Tile[] {
  return Array.from({ length: Math.ceil(size / tileSize) }, (_, index) => ({
    level: 'entries',
    index,
    width: Math.min(tileSize, size - index * tileSize),
  }));
}
