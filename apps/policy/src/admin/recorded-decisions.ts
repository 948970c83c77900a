import { type RecordedDecision, decisions, openDecisionRecord } from '@behalf/policy-life';
import type { RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';

const pageSize = 200;

/** Recorded decisions with their inputs opened, page by page, at most `limit`. @throws SealingError */
export async function* recordedDecisions(
  records: RecordStore,
  kek: KeyEncryptionKey,
  limit: number,
): AsyncGenerator<RecordedDecision> {
  let left = limit;
  let afterId = '';
  while (left > 0) {
    const page = await records.list(decisions, { afterId, limit: Math.min(pageSize, left) });
    for (const stored of page) {
      const { decisionId, decision, decidedAtMs } = stored.value;
      yield { decisionId, decision, decidedAtMs, evaluation: await openDecisionRecord(stored, kek) };
    }
    if (page.length === 0) return;
    left -= page.length;
    afterId = page.at(-1)?.id ?? afterId;
  }
}
