import type { KeyObject } from 'node:crypto';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { verifyConsistency } from './merkle-proof.js';
import { type NoteVerifier, openNote, signNote } from './signed-note.js';

export interface WitnessOptions {
  name: string;
  privateKey: KeyObject;
  log: NoteVerifier;
  nowSeconds: () => number;
}

/** What the witness has seen last, of the one log that it watches. */
export interface WitnessMemory {
  read(): Promise<Checkpoint | undefined>;
  /** Resolves when it is durable. */
  write(checkpoint: Checkpoint): Promise<void>;
}

/** `stale`: the log has to prove its growth from another size. Anything else is the log's fault. */
export class WitnessRefusal extends Error {
  override readonly name = 'WitnessRefusal';
  constructor(
    readonly reason: 'not_signed' | 'other_log' | 'stale' | 'rolled_back' | 'forked',
    readonly knownSize: number,
  ) {
    super(`the witness refuses: ${reason}`);
  }
}

/**
 * Watches one log from another process, with a key that the log does not have. It signs a head only when that holds
 * all that it has signed before: a log that was rolled back, or that shows different people different contents, gets
 * no signature from it. What it signs it has written down first.
 *
 * @see c2sp.org/tlog-witness
 */
export class Witness {
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly memory: WitnessMemory,
    private readonly options: WitnessOptions,
  ) {}

  /**
   * @param oldSize the size that `proof` starts from
   * @returns the line to be put under the checkpoint
   * @throws WitnessRefusal
   */
  cosign(note: string, oldSize: number, proof: readonly Uint8Array[]): Promise<string> {
    // One at a time: two at once could both grow from the same head, and away from each other.
    const cosigning = this.#last.then(() => this.#cosign(note, oldSize, proof));
    this.#last = cosigning.catch(() => {});
    return cosigning;
  }

  async #cosign(note: string, oldSize: number, proof: readonly Uint8Array[]): Promise<string> {
    const { log, name, privateKey, nowSeconds } = this.options;
    const known = await this.memory.read();
    const refuse = (reason: WitnessRefusal['reason']): never => {
      throw new WitnessRefusal(reason, known?.size ?? 0);
    };
    const text = this.#open(note) ?? refuse('not_signed');
    const checkpoint = parseCheckpoint(text);
    if (checkpoint.origin !== log.name) refuse('other_log');
    if (known && checkpoint.size < known.size) refuse('rolled_back');
    if (oldSize !== (known?.size ?? 0)) refuse('stale');
    if (known && !verifyConsistency(known, checkpoint, proof)) refuse('forked');
    await this.memory.write(checkpoint);
    return signNote(text, { name, kind: 'witness', privateKey }, nowSeconds());
  }

  #open(note: string): string | undefined {
    try {
      const { text, signers } = openNote(note, [this.options.log]);
      return signers.length > 0 ? text : undefined;
    } catch {
      return undefined;
    }
  }
}
