import {
  type RecordedDecision,
  decisionBatches,
  formerDecisions,
  openDecisions,
  openFormerDecision,
} from '@behalf/policy-life';
import type { RecordKind, RecordStore, StoredRecord } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';

const formerPageSize = 200;
/** Each of them holds hundreds of decisions. */
const batchPageSize = 10;

/** Recorded decisions with their inputs opened, page by page, at most `limit`. @throws SealingError */
export async function* recordedDecisions(
  records: RecordStore,
  kek: KeyEncryptionKey,
  limit: number,
): AsyncGenerator<RecordedDecision> {
  let left = limit;
  for await (const former of stored(records, formerDecisions, formerPageSize)) {
    if (left-- <= 0) return;
    yield await openFormerDecision(former, kek);
  }
  for await (const batch of stored(records, decisionBatches, batchPageSize)) {
    for (const decision of await openDecisions(batch, kek)) {
      if (left-- <= 0) return;
      yield decision;
    }
  }
}

async function* stored<T>(
  records: RecordStore,
  kind: RecordKind<T>,
  pageSize: number,
): AsyncGenerator<StoredRecord<T>> {
  let afterId: string | undefined = '';
  while (afterId !== undefined) {
    const page: StoredRecord<T>[] = await records.list(kind, { afterId, limit: pageSize });
    yield* page;
    afterId = page.at(-1)?.id;
  }
}
