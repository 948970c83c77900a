import { TreeEdge, hashLeaf, tileSize } from '@behalf/audit';
import { sql } from 'kysely';
import type { Database } from './database.js';

export interface WaitingLeaf {
  position: string;
  leaf: string;
}

interface Head {
  size: string;
  edge: string[];
}

/** The log's size and right edge, as the database has them. */
export async function readEdge(db: Database): Promise<TreeEdge> {
  const { rows } = await sql<Head>`select size, edge from audit_head`.execute(db);
  return edgeOf(rows[0]);
}

/**
 * The same, and nobody else appends until the transaction ends. A program that stands still in it holds up all others,
 * no longer than two seconds.
 */
export async function lockEdge(transaction: Database): Promise<TreeEdge> {
  const { rows } = await sql<Head>`
    select size, edge, set_config('idle_in_transaction_session_timeout', '2000', true) from audit_head for update
    `.execute(transaction);
  return edgeOf(rows[0]);
}

function edgeOf(head: Head | undefined): TreeEdge {
  if (!head) throw new Error('the audit log has no head');
  return new TreeEdge(
    Number(head.size),
    head.edge.map((peak) => Buffer.from(peak, 'base64')),
  );
}

/** Records that were committed with a change and have no place in the log yet. */
export async function readWaiting(db: Database, limit: number): Promise<WaitingLeaf[]> {
  const { rows } = await sql<WaitingLeaf>`
    select position, leaf from audit_waiting order by position limit ${limit}`.execute(db);
  return rows;
}

/**
 * Appends leaves after an edge, in one statement, if it is still the log's: then nobody appended in between, nor put
 * another log of the same size in its place, such as one from a backup.
 *
 * @param waiting positions in `audit_waiting` whose leaves these are
 * @returns the new edge; undefined when the log has grown, and nothing was written
 */
export async function appendLeaves(
  db: Database,
  edge: TreeEdge,
  leaves: readonly string[],
  waiting: readonly string[],
): Promise<TreeEdge | undefined> {
  const { grown, tiles } = grow(edge, leaves);
  const peaksOf = ({ peaks }: TreeEdge): string =>
    JSON.stringify(peaks.map((peak) => Buffer.from(peak).toString('base64')));
  const { rows } = await sql<{ moved: boolean }>`
    with moved as (
      update audit_head set size = ${grown.size}::bigint, edge = ${peaksOf(grown)}::jsonb
      where size = ${edge.size}::bigint and edge = ${peaksOf(edge)}::jsonb returning true as moved
    ), placed as (
      insert into audit_leaves (leaf_index, leaf)
      select ${edge.size}::bigint + nth - 1, leaf
      from jsonb_array_elements_text(${JSON.stringify(leaves)}::jsonb) with ordinality as given(leaf, nth)
      where exists (select from moved)
    ), tiled as (
      insert into audit_tiles (tile_index, root)
      select tile_index, root
      from jsonb_to_recordset(${JSON.stringify(tiles)}::jsonb) as given(tile_index bigint, root text)
      where exists (select from moved)
    ), taken as (
      delete from audit_waiting
      where exists (select from moved)
        and position in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(waiting)}::jsonb))
    )
    select moved from moved`.execute(db);
  return rows.length > 0 ? grown : undefined;
}

/** The right edge in two: of the full tiles, and of the leaves in the last one, which is not full. */
function grow(edge: TreeEdge, leaves: readonly string[]) {
  const inLastTile = edge.size % tileSize;
  const split = edge.peaks.length - bitsIn(inLastTile);
  let full = new TreeEdge((edge.size - inLastTile) / tileSize, edge.peaks.slice(0, split));
  let last = new TreeEdge(inLastTile, edge.peaks.slice(split));
  const tiles: { tile_index: number; root: string }[] = [];
  for (let from = 0; from < leaves.length;) {
    const to = Math.min(leaves.length, from + tileSize - last.size);
    last = last.append(leaves.slice(from, to).map((leaf) => hashLeaf(leaf)));
    from = to;
    if (last.size < tileSize) break;
    tiles.push({ tile_index: full.size, root: Buffer.from(last.root).toString('base64') });
    full = full.append([last.root]);
    last = TreeEdge.empty;
  }
  return { grown: new TreeEdge(full.size * tileSize + last.size, [...full.peaks, ...last.peaks]), tiles };
}

function bitsIn(number: number): number {
  return number.toString(2).replaceAll('0', '').length;
}
