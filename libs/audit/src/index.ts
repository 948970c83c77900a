/**
 * What is written down about every exchange, decision, sign-in and administrative act, allowed or refused, and the
 * port it is written through. What must be recorded and cannot be is refused by the caller. The records are the leaves
 * of a Merkle log: here are its hashes, proofs, signed heads and witness, and the check of an exported log. Where it is
 * kept is an adapter's business.
 */
export { type AuditLeaves, type AuditLog, type AuditRecord, auditRecordSchema } from './audit-record.js';
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
export { type VerifiedLog, formatExport, proveLeaf, verifyExport } from './exported-log.js';
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
