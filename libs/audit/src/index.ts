/**
 * What is written down about every exchange, decision, sign-in and administrative act, allowed or refused, and the
 * port it is written through. What must be recorded and cannot be is refused by the caller. The records are the leaves
 * of a Merkle log: here are its hashes, tiles, proofs, signed heads and witness, and the check of a log that somebody
 * else keeps. Where it is kept is an adapter's business.
 */
export {
  type AuditLeaves,
  type AuditLog,
  type AuditPlace,
  type AuditRecord,
  auditRecordSchema,
} from './audit-record.js';
export { fromLeaf, toLeaf } from './to-leaf.js';
export { type Checkpoint, formatCheckpoint, originOf, parseCheckpoint } from './checkpoint.js';
export { decodeBundle, encodeBundle, maxLeafBytes } from './entry-bundle.js';
export {
  type InclusionReceipt,
  formatReceipt,
  parseReceipt,
  proveFromLog,
  verifyReceipt,
} from './inclusion-receipt.js';
export { RefusedHead, type Witnessed, followLog, hearHead } from './follow-log.js';
export { issueReceipt } from './issue-receipt.js';
export { type LogSource, hasGrownFrom, proveFromTiles } from './log-source.js';
export {
  type TreeHead,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from './merkle-proof.js';
export { type KnownHash, TreeEdge, hashLeaf, hashRange } from './merkle-tree.js';
export {
  type NoteVerifier,
  type OpenedNote,
  formatVerifier,
  openNote,
  parseVerifier,
  signNote,
} from './signed-note.js';
export { Witness, type WitnessMemory, type WitnessOptions, WitnessRefusal } from './witness.js';
export { type PublishedHead, latestHead, publishedHeads, readPublishedHead } from './published-head.js';
export { readTile } from './read-tile.js';
export { type Tile, entryTiles, formatTilePath, parseTilePath, tileSize } from './tile.js';
export { type SignedHead, openCheckpoint, verifyLog } from './verify-log.js';
export { RecordsAhead } from './records-ahead.js';
