import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import {
  type AuditLeaves,
  type PublishedHead,
  type Tile,
  formatCheckpoint,
  formatVerifier,
  latestHead,
  publishedHeads,
  readTile,
  signNote,
} from '@behalf/audit';
import { auditCheckpointSigned } from '@behalf/contracts';
import type { RecordStore } from '@behalf/ports';

const publishIntervalMs = 5_000;
/** The head of a PKCS #8 key for Ed25519; the 32 bytes of the key follow. @see RFC 8410 §7 */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface AuditCheckpointsOptions {
  leaves: AuditLeaves;
  records: RecordStore;
  /** The log's name: the issuer without its scheme, and what it is. */
  origin: string;
  /** 32 bytes, the same in every process. */
  secret: Uint8Array;
  onError: (error: unknown) => void;
}

/**
 * Signs how far the audit log has grown, when asked and whenever it has: the heads go out as events, so that others
 * hold what the log cannot take back.
 *
 * @see c2sp.org/tlog-checkpoint
 */
export class AuditCheckpoints {
  readonly #privateKey: KeyObject;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AuditCheckpointsOptions) {
    const key = Buffer.concat([pkcs8, options.secret]);
    this.#privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  }

  /** What checkpoints are verified with, to be handed to auditors and witnesses. */
  get verifier(): string {
    const key = createPublicKey(this.#privateKey);
    return formatVerifier({ name: this.options.origin, kind: 'log', key });
  }

  async sign(): Promise<PublishedHead> {
    const { leaves, origin } = this.options;
    const head = await leaves.head();
    const text = formatCheckpoint({ origin, ...head });
    const signature = signNote(text, { name: origin, kind: 'log', privateKey: this.#privateKey });
    return { size: head.size, checkpoint: `${text}\n${signature}` };
  }

  /** Undefined when the log has not grown so far. */
  tile(tile: Tile): Promise<Buffer | undefined> {
    return readTile(tile, this.options.leaves);
  }

  start(): void {
    this.#timer ??= setInterval(
      () => void this.publish().catch(this.options.onError),
      publishIntervalMs,
    ).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Publishes the head if the log has grown since any process did. Heads are published in the order of their sizes: one
   * that came late would look like a log that was rolled back.
   */
  async publish(): Promise<void> {
    await this.options.records.transaction(async (transaction) => {
      const published = await transaction.get(publishedHeads, latestHead);
      const signed = await this.sign();
      if (signed.size <= (published?.value.size ?? 0)) return;
      const expectedVersion = published?.version ?? 0;
      await transaction.put(publishedHeads, latestHead, signed, { expectedVersion });
      await transaction.emit(auditCheckpointSigned, signed);
    });
  }
}
