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

  /**
   * Doing it twice is doing it once.
   *
   * @param untilMs what was begun and agreed to later stays
   */
  async close(person: string, provider: string, reason: string, untilMs: number = Infinity): Promise<void> {
    const cancelled = await cancelElicitations(
      { person, provider },
      this.records,
      this.clock.nowMs(),
      untilMs,
    );
    const forgotten = await this.#forget({ account: accountKey({ person, provider }) }, untilMs);
    await this.#record(person, { provider, reason, cancelled, forgotten });
  }

  /**
   * What waits goes on: its person is about to decide it.
   *
   * @param untilMs what was agreed to later stays
   */
  async forgetConsents(
    person: string,
    provider: string,
    reason: string,
    untilMs: number = Infinity,
  ): Promise<void> {
    const forgotten = await this.#forget({ account: accountKey({ person, provider }) }, untilMs);
    await this.#record(person, { provider, reason, cancelled: 0, forgotten });
  }

  /** The same for all that anybody waits for of a person, connected or not. */
  async closePerson(person: string, reason: string): Promise<void> {
    const isTheirs = (elicitation: Elicitation): boolean => elicitation.person === person;
    const cancelled = await cancelMatching(isTheirs, this.records, this.clock.nowMs());
    const forgotten = await this.#forget({ person });
    await this.#record(person, { reason, cancelled, forgotten });
  }

  async #forget(where: Record<string, string>, untilMs = Infinity): Promise<number> {
    let forgotten = 0;
    let afterId: string | undefined;
    do {
      const options = { where, limit: batchSize, ...(afterId !== undefined && { afterId }) };
      afterId = await this.records.transaction(async (transaction) => {
        const consents = await transaction.list(consentRecords, options);
        const former = consents.filter(({ value }) => value.agreedAtMs <= untilMs);
        for (const { id } of former) await transaction.delete(consentRecords, id);
        forgotten += former.length;
        return consents.length === batchSize ? consents.at(-1)?.id : undefined;
      });
    } while (afterId !== undefined);
    return forgotten;
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
