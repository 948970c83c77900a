import { z } from 'zod';
import type { TreeHead } from './merkle-proof.js';

/** One line of the audit log. `details` holds ids, digests and reasons; never tokens, secrets or arguments. */
export const auditRecordSchema = z.object({
  /** `exchange`, `decision`, `sign-in`, `consent`, `revocation`, `key-rotation` ... */
  type: z.string(),
  outcome: z.enum(['allowed', 'refused']),
  /** Milliseconds since the epoch. */
  occurredAtMs: z.number().int(),
  /** The person, by `sub`. */
  person: z.string().optional(),
  /** The authenticated caller. */
  client: z.string().optional(),
  /** Current actor first. */
  actors: z.array(z.string()).optional(),
  decisionId: z.string().optional(),
  traceId: z.string().optional(),
  details: z.record(z.string(), z.json()).optional(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

export interface AuditLog {
  /**
   * Resolves when the record is durable and has its place in the log. One that is written with a change, in the
   * change's transaction, is committed with it, and gets its place a moment later.
   *
   * @param onPlaced told the place before this resolves, where there is one by then
   */
  append(record: AuditRecord, onPlaced?: (place: AuditPlace) => void): Promise<void>;
  /** The newest first. */
  latest(limit: number): Promise<AuditRecord[]>;
}

/** What a record is asked for by, once the log has a signed head that covers it. */
export interface AuditPlace {
  index: number;
  /** RFC 6962, base64url. */
  leafHash: string;
}

/** An audit log that can be shown to others. Leaves keep their places for ever. */
export interface AuditLeaves {
  /** How far the log has grown. */
  head(): Promise<TreeHead>;
  /** Leaves from a place on, as they were hashed. */
  leaves(from: number, limit: number): Promise<string[]>;
  /** The hashes of each 256 leaves, from one on. */
  tileRoots(from: number, limit: number): Promise<Uint8Array[]>;
}
