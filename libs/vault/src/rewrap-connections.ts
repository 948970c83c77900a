import { RecordConflict, type RecordKind, type StoredRecord } from '@behalf/ports';
import { SealingError, rewrap } from '@behalf/sealing';
import { z } from 'zod';
import { writeConnection } from './change-connection.js';
import { type ConnectionRecord, connectionKind } from './connection.js';
import { rewrapOtherSecrets } from './rewrap-other-secrets.js';
import { type SealedPart, placeOf, sealingContext } from './sealed-credential.js';
import type { VaultDependencies } from './vault-dependencies.js';

const batchSize = 100;
const maxAttempts = 5;

const runSchema = z.object({
  /** The key that data keys are moved to. */
  keyId: z.string(),
  /** Everything up to here is done. */
  afterId: z.string().optional(),
  moved: z.int(),
  failed: z.int(),
  startedAtMs: z.int(),
  finishedAtMs: z.int().optional(),
});
export type RewrapRun = z.output<typeof runSchema>;
const runKind: RecordKind<RewrapRun> = { name: 'vault-rewrap', schema: runSchema };

/**
 * One batch of moving every data key to the current key-encryption key, without opening what they seal. How far it came
 * is kept, so that it goes on after a crash where it was; two at once do the work twice and nothing wrong.
 *
 * A row whose data key cannot be moved is counted and left as it is: it still opens with the former key, which must not
 * be taken away before a run has finished with none failed.
 *
 * @returns the run so far; it is over when it has `finishedAtMs`
 */
export async function rewrapBatch(
  dependencies: Pick<VaultDependencies, 'records' | 'keys' | 'clock' | 'onFault'>,
): Promise<RewrapRun> {
  const { records, keys, clock } = dependencies;
  const keyId = keys.current.id;
  const stored = await records.get(runKind, keyId);
  const isOver = stored?.value.finishedAtMs !== undefined;
  const run: RewrapRun =
    stored && !isOver ? stored.value : { keyId, moved: 0, failed: 0, startedAtMs: clock.nowMs() };
  const { afterId } = run;
  const page = await records.list(connectionKind, {
    limit: batchSize,
    ...(afterId !== undefined && { afterId }),
  });
  let { moved, failed } = run;
  if (afterId === undefined) failed += await rewrapOtherSecrets(dependencies);
  for (const connection of page) {
    const outcome = await rewrapConnection(connection, dependencies);
    if (outcome === 'moved') moved += 1;
    if (outcome === 'failed') failed += 1;
  }
  const next: RewrapRun = {
    ...run,
    moved,
    failed,
    ...(page.length > 0 && { afterId: page.at(-1)?.id }),
    ...(page.length < batchSize && { finishedAtMs: clock.nowMs() }),
  };
  await records.transaction((transaction) => transaction.put(runKind, keyId, next));
  return next;
}

/** Whether everything was moved to the current key, in one run without a failure. */
export async function isRewrapped({
  records,
  keys,
}: Pick<VaultDependencies, 'records' | 'keys'>): Promise<boolean> {
  const run = (await records.get(runKind, keys.current.id))?.value;
  return run?.finishedAtMs !== undefined && run.failed === 0;
}

async function rewrapConnection(
  connection: StoredRecord<ConnectionRecord>,
  { records, keys, onFault }: Pick<VaultDependencies, 'records' | 'keys' | 'onFault'>,
): Promise<'moved' | 'failed' | 'nothing'> {
  let current: StoredRecord<ConnectionRecord> | undefined = connection;
  for (let attempt = 1; current && attempt <= maxAttempts; attempt++) {
    try {
      const { id, value } = current;
      const sealed = { ...value.sealed };
      let isMoved = false;
      for (const [part, text] of Object.entries(sealed) as [SealedPart, string][]) {
        const renewed = await rewrap(keys, text, sealingContext(placeOf(id, value), part));
        if (renewed === undefined) continue;
        sealed[part] = renewed;
        isMoved = true;
      }
      const { access } = sealed;
      if (!isMoved || access === undefined) return 'nothing';
      await writeConnection(records, id, { ...value, sealed: { ...sealed, access } }, current);
      return 'moved';
    } catch (error) {
      if (error instanceof SealingError) {
        onFault('a data key could not be moved', error);
        return 'failed';
      }
      if (!(error instanceof RecordConflict)) throw error;
      current = await records.get(connectionKind, connection.id);
    }
  }
  // Gone, or written so often just now that it is under the current key.
  return 'nothing';
}
