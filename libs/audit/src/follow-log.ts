import type { Checkpoint } from './checkpoint.js';
import { hasGrownFrom, type LogSource, proveFromTiles } from './log-source.js';
import { proveConsistency } from './merkle-proof.js';
import type { NoteVerifier } from './signed-note.js';
import { openCheckpoint } from './verify-log.js';
import { type Witness, type WitnessMemory, WitnessRefusal } from './witness.js';

export interface Witnessed {
  size: number;
  /** The log's head with the signature of the witness under it. */
  note: string;
}

/** A head that the witness refuses, for whoever has to show it. */
export class RefusedHead extends Error {
  override readonly name = 'RefusedHead';
  constructor(
    readonly reason: WitnessRefusal['reason'],
    readonly knownSize: number,
    readonly note: string,
  ) {
    super(`the log was refused: ${reason}, after ${knownSize} records`);
  }
}

/**
 * Looks once at how far a log has grown, and has the witness sign that. The proof is made here of the log's own tiles:
 * a log that was changed cannot have one.
 *
 * @throws RefusedHead; what the source throws when it cannot be read
 */
export async function followLog(
  source: LogSource,
  witness: Witness,
  memory: WitnessMemory,
  log: NoteVerifier,
): Promise<Witnessed> {
  const note = await source.checkpoint();
  const old = (await memory.read())?.size ?? 0;
  const size = checkpointOf(note, log)?.size;
  // What is not signed, or smaller than it was, needs no proof to be refused.
  const proof =
    size === undefined || size < old
      ? []
      : await proveFromTiles(source, size, (known) => proveConsistency(old, size, known));
  try {
    return { size: size ?? 0, note: note + (await witness.cosign(note, old, proof)) };
  } catch (error) {
    if (!(error instanceof WitnessRefusal)) throw error;
    throw new RefusedHead(error.reason, error.knownSize, note);
  }
}

/**
 * Looks at a head that the log has told to others. One that is newer than what the witness knows it signs; an older one
 * may come late, but has to be of the same log.
 *
 * @returns undefined for a head that says nothing new
 * @throws RefusedHead; what the source throws when it cannot be read
 */
export async function hearHead(
  note: string,
  source: LogSource,
  witness: Witness,
  memory: WitnessMemory,
  log: NoteVerifier,
): Promise<Witnessed | undefined> {
  const known = await memory.read();
  const heard = checkpointOf(note, log);
  if (!known || heard?.origin !== known.origin || heard.size >= known.size) {
    const told = { checkpoint: async () => note, tile: source.tile.bind(source) };
    return followLog(told, witness, memory, log);
  }
  if (await hasGrownFrom(heard, known, source)) return undefined;
  throw new RefusedHead('forked', known.size, note);
}

/** @returns undefined for what the log has not signed */
function checkpointOf(note: string, log: NoteVerifier): Checkpoint | undefined {
  try {
    return openCheckpoint(note, [log]).checkpoint;
  } catch {
    return undefined;
  }
}
