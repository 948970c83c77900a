import type { AuditRecord } from './audit-record.js';
import { RecordsAhead } from './records-ahead.js';

const record: AuditRecord = { type: 'decision', outcome: 'allowed', occurredAtMs: 1 };

/** A log whose writes end when the test says so. */
function heldLog() {
  const writes: { record: AuditRecord; resolve: () => void; reject: (error: Error) => void }[] = [];
  const append = (written: AuditRecord): Promise<void> =>
    new Promise((resolve, reject) => writes.push({ record: written, resolve, reject }));
  return { append, writes };
}

describe('records that are written ahead', () => {
  it('are on their way before anybody waits, and are durable when the wait ends', async () => {
    const log = heldLog();
    const ahead = RecordsAhead.of(log);
    const ticket = ahead.begin(record);
    expect(log.writes).toMatchObject([{ record }]);
    let isDurable = false;
    const settled = ahead.settled(ticket).then(() => (isDurable = true));
    await new Promise(setImmediate);
    expect(isDurable).toBe(false);
    log.writes[0]!.resolve();
    await settled;
  });

  it('tell of a failure whoever asks, also when it came before', async () => {
    const log = heldLog();
    const ahead = RecordsAhead.of(log);
    const ticket = ahead.begin(record);
    log.writes[0]!.reject(new Error('disk full'));
    await new Promise(setImmediate);
    await expect(ahead.settled(ticket)).rejects.toThrow('disk full');
  });

  it('are told of once, and not to who made up a ticket', async () => {
    const log = heldLog();
    const ahead = RecordsAhead.of(log);
    const ticket = ahead.begin(record);
    log.writes[0]!.resolve();
    await ahead.settled(ticket);
    await expect(ahead.settled(ticket)).rejects.toThrow('no such record');
    await expect(ahead.settled('made up')).rejects.toThrow('no such record');
  });

  it('are refused, not believed, once too many others came after them', async () => {
    const log = { append: async () => {} };
    const ahead = RecordsAhead.of(log);
    const first = ahead.begin(record);
    const others = Array.from({ length: 10_000 }, () => ahead.begin(record));
    await expect(ahead.settled(first)).rejects.toThrow('no such record');
    await ahead.settled(others.at(-1)!);
  });

  it('belong to one log, whoever has it', () => {
    const [one, other] = [heldLog(), heldLog()];
    expect(RecordsAhead.of(one)).toBe(RecordsAhead.of(one));
    expect(RecordsAhead.of(one).id).not.toBe(RecordsAhead.of(other).id);
  });
});
