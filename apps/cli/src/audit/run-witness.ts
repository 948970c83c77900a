import { createPublicKey } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import {
  type LogSource,
  type NoteVerifier,
  RefusedHead,
  Witness,
  followLog,
  formatVerifier,
} from '@behalf/audit';
import { UsageError } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { WitnessFolder } from './witness-folder.js';

const defaultIntervalSeconds = 30;

export interface WitnessRunOptions {
  name?: string | undefined;
  interval?: string | undefined;
  once: boolean;
}

/**
 * Follows a log until it has to be refused: then the head is kept, and the command ends with a finding. A log that
 * cannot be reached is asked again.
 */
export async function runWitness(
  source: LogSource,
  folder: string,
  [log, ...others]: readonly NoteVerifier[],
  { name = `${hostname()}/behalf-witness`, interval, once }: WitnessRunOptions,
): Promise<CommandResult> {
  const seconds = Number(interval ?? defaultIntervalSeconds);
  if (log?.kind !== 'log' || others.length > 0) throw new UsageError('--key is the key of the one log');
  if (!(seconds >= 1)) throw new UsageError('--interval is a number of seconds');
  if (/[\s+]/.test(name)) throw new UsageError('--name has no spaces and no +');
  const memory = await WitnessFolder.open(folder);
  const { privateKey } = memory;
  const nowSeconds = (): number => Math.floor(Date.now() / 1000);
  const witness = new Witness(memory, { name, privateKey, log, nowSeconds });
  const verifier = formatVerifier({ name, kind: 'witness', key: createPublicKey(privateKey) });
  if (!once) console.log(`the key of this witness: ${verifier}`);
  for (;;) {
    try {
      const { size, note } = await followLog(source, witness, memory, log);
      await memory.publish(note);
      if (once)
        return { output: `signed at ${size} records; the key of this witness: ${verifier}`, failed: false };
    } catch (error) {
      if (error instanceof RefusedHead) {
        const kept = await memory.keepEvidence(error.note, error.reason, Date.now());
        return { output: `ALARM: ${error.message}; what it showed is in ${kept}`, failed: true };
      }
      // It may be gone for a while, and must not be taken for one that is unchanged.
      if (once || error instanceof UsageError) throw error;
      console.error(`the log could not be read: ${(error as Error).message}`);
    }
    await setTimeout(seconds * 1000 * (0.9 + Math.random() * 0.2));
  }
}
