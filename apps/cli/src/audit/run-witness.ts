import { createPublicKey } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import {
  type LogSource,
  type NoteVerifier,
  RefusedHead,
  Witness,
  type Witnessed,
  followLog,
  formatVerifier,
  hearHead,
} from '@behalf/audit';
import { auditCheckpointSigned } from '@behalf/contracts';
import type { Bus } from '@behalf/ports';
import { UsageError } from '../parse-command.js';
import type { CommandResult } from '../command-result.js';
import { WitnessFolder } from './witness-folder.js';

const defaultIntervalSeconds = 30;
const againAfterMs = 1_000;

export interface WitnessRunOptions {
  name?: string | undefined;
  interval?: string | undefined;
  once: boolean;
  /** Where heads are heard of when they are signed, besides those that are asked for. */
  events?: Pick<Bus, 'subscribe'> | undefined;
}

/**
 * Follows a log until it has to be refused: then the head is kept, and the command ends with a finding. A log that
 * cannot be reached is asked again.
 */
export async function runWitness(
  source: LogSource,
  folder: string,
  [log, ...others]: readonly NoteVerifier[],
  { name = `${hostname()}/behalf-witness`, interval, once, events }: WitnessRunOptions,
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
  const ask = (): Promise<Witnessed> => followLog(source, witness, memory, log);
  if (once) {
    const seen = await look(ask, memory);
    if ('finding' in seen) return seen.finding;
    return { output: `signed at ${seen.size} records; the key of this witness: ${verifier}`, failed: false };
  }
  console.log(`the key of this witness: ${verifier}`);
  const found = new AbortController();
  const rest = (ms: number): Promise<void> =>
    setTimeout(ms, undefined, { signal: found.signal }).catch(() => {});
  let finding: CommandResult | undefined;
  let last: Promise<unknown> = Promise.resolve();
  /** One look at a time, each from what the one before it has seen. @returns false when the log could not be read */
  const inTurn = (head: () => Promise<Witnessed | undefined>): Promise<boolean> => {
    const looking = last.then(async () => {
      if (finding) return true;
      try {
        const seen = await look(head, memory);
        if ('finding' in seen) finding = seen.finding;
      } catch (error) {
        if (error instanceof UsageError) throw error;
        // It may be gone for a while, and must not be taken for one that is unchanged.
        console.error(`the log could not be read: ${(error as Error).message}`);
        return false;
      }
      if (finding) found.abort();
      return true;
    });
    last = looking.catch(() => {});
    return looking;
  };
  const listening = events?.subscribe(auditCheckpointSigned, async ({ data: { checkpoint } }) => {
    // The next one waits meanwhile: none is passed over.
    while (!(await inTurn(() => hearHead(checkpoint, source, witness, memory, log))))
      await rest(againAfterMs);
  });
  for (;;) {
    await inTurn(ask);
    if (!finding) await rest(seconds * 1000 * (0.9 + Math.random() * 0.2));
    if (!finding) continue;
    await listening?.drain();
    return finding;
  }
}

/** Keeps what was seen, for others: the head with both signatures, or the one that has to be refused. */
async function look(
  head: () => Promise<Witnessed | undefined>,
  memory: WitnessFolder,
): Promise<{ size: number } | { finding: CommandResult }> {
  try {
    const witnessed = await head();
    if (witnessed) await memory.publish(witnessed.note);
    return { size: witnessed?.size ?? 0 };
  } catch (error) {
    if (!(error instanceof RefusedHead)) throw error;
    const kept = await memory.keepEvidence(error.note, error.reason, Date.now());
    return { finding: { output: `ALARM: ${error.message}; what it showed is in ${kept}`, failed: true } };
  }
}
