import type { AuditLog } from '@behalf/audit';
import {
  type Elicitation,
  accountKey,
  cancelElicitations,
  cancelMatching,
  consentRecords,
} from '@behalf/elicitation';
import type { Clock, RecordStore } from '@behalf/ports';

const batchSize = 100;

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
    const cancelled = await cancelElicitations({ person, provider }, this.records, this.clock.nowMs());
    const forgotten = await this.#forget({ account: accountKey({ person, provider }) });
    await this.#record(person, { provider, reason, cancelled, forgotten });
  }

  /** What waits goes on: its person is about to decide it. */
  async forgetConsents(person: string, provider: string, reason: string): Promise<void> {
    const forgotten = await this.#forget({ account: accountKey({ person, provider }) });
    await this.#record(person, { provider, reason, cancelled: 0, forgotten });
  }

  /** The same for all that anybody waits for of a person, connected or not. */
  async closePerson(person: string, reason: string): Promise<void> {
    const isTheirs = (elicitation: Elicitation): boolean => elicitation.person === person;
    const cancelled = await cancelMatching(isTheirs, this.records, this.clock.nowMs());
    const forgotten = await this.#forget({ person });
    await this.#record(person, { reason, cancelled, forgotten });
  }

  async #forget(where: Record<string, string>): Promise<number> {
    let forgotten = 0;
    for (;;) {
      const count = await this.records.transaction(async (transaction) => {
        const consents = await transaction.list(consentRecords, { where, limit: batchSize });
        for (const { id } of consents) await transaction.delete(consentRecords, id);
        return consents.length;
      });
      forgotten += count;
      if (count < batchSize) return forgotten;
    }
  }

  async #record(
    person: string,
    ended: { provider?: string; reason: string; cancelled: number; forgotten: number },
  ): Promise<void> {
    if (ended.cancelled === 0 && ended.forgotten === 0) return;
    await this.audit.append({
      type: 'elicitation',
      outcome: 'allowed',
      occurredAtMs: this.clock.nowMs(),
      person,
      details: { step: 'account ended', ...ended },
    });
  }
}
