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

interface Batch {
  first_index: string;
  leaves: string;
}

/** Between the leaves of one row. JSON writes those in its texts as `\n`. */
const leafSeparator = '\n';

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
  // Most commits fill no tile and take nothing that waited. What is not in the statement costs nothing.
  const tiled = sql`, tiled as (
      insert into audit_tiles (tile_index, root)
      select tile_index, root
      from jsonb_to_recordset(${JSON.stringify(tiles)}::jsonb) as given(tile_index bigint, root text)
      where exists (select from moved)
    )`;
  const taken = sql`, taken as (
      delete from audit_waiting
      where exists (select from moved)
        and position in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(waiting)}::jsonb))
    )`;
  const { rows } = await sql<{ moved: boolean }>`
    with moved as (
      update audit_head set size = ${grown.size}::bigint, edge = ${peaksOf(grown)}::jsonb
      where size = ${edge.size}::bigint and edge = ${peaksOf(edge)}::jsonb returning true as moved
    ), placed as (
      insert into audit_batches (first_index, leaves)
      select ${edge.size}::bigint, ${leaves.join(leafSeparator)}::text from moved
    )${tiles.length > 0 ? tiled : sql``}${waiting.length > 0 ? taken : sql``}
    select moved from moved`.execute(db);
  return rows.length > 0 ? grown : undefined;
}

/** Leaves from a place on, out of the rows that they stand in. */
export async function readLeaves(db: Database, from: number, limit: number): Promise<string[]> {
  const { rows } = await sql<Batch>`
    select first_index, leaves from audit_batches
    where first_index < ${from + limit}::bigint and first_index >= coalesce(
      (select max(first_index) from audit_batches where first_index <= ${from}::bigint), 0)
    order by first_index`.execute(db);
  return leavesOf(rows, from).slice(0, limit);
}

/** The last leaves of the log, in its order. */
export async function readLastLeaves(db: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<Batch>`
    select first_index, leaves from audit_batches
    where first_index >= coalesce(
      (select max(first_index) from audit_batches
       where first_index <= (select size from audit_head) - ${limit}::bigint), 0)
    order by first_index`.execute(db);
  return limit > 0 ? leavesOf(rows, 0).slice(-limit) : [];
}

function leavesOf(rows: readonly Batch[], from: number): string[] {
  return rows.flatMap(({ first_index: first, leaves }) =>
    leaves.split(leafSeparator).slice(Math.max(0, from - Number(first))),
  );
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
