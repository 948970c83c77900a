import type { AuditLog } from '@behalf/audit';
import { accountKey, cancelElicitations, consentRecords } from '@behalf/elicitation';
import type { Clock, RecordStore } from '@behalf/ports';

/**
 * What ends with a connection: what was agreed to about it, and what waits for its person. Whoever connects the account
 * again is asked about every agent again.
 */
export class EndedAccounts {
  constructor(
    private readonly records: RecordStore,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /** Doing it twice is doing it once. */
  async close(person: string, provider: string, reason: string): Promise<void> {
    const nowMs = this.clock.nowMs();
    const cancelled = await cancelElicitations({ person, provider }, this.records, nowMs);
    const where = { account: accountKey({ person, provider }) };
    const forgotten = await this.records.transaction(async (transaction) => {
      const consents = await transaction.list(consentRecords, { where });
      for (const { id } of consents) await transaction.delete(consentRecords, id);
      return consents.length;
    });
    if (cancelled === 0 && forgotten === 0) return;
    await this.audit.append({
      type: 'elicitation',
      outcome: 'allowed',
      occurredAtMs: nowMs,
      person,
      details: { step: 'account ended', provider, reason, cancelled, forgotten },
    });
  }
}
