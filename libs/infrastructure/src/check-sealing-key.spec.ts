import { MemoryRecordStore } from '@behalf/adapter-memory';
import { systemClock } from '@behalf/ports';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { SealingKeyError, checkSealingKey } from './check-sealing-key.js';

const [ours, theirs] = [1, 2].map((byte) => new LocalKeyEncryptionKey(new Uint8Array(32).fill(byte)));
const check = (records: MemoryRecordStore, key = ours): Promise<void> =>
  checkSealingKey(records, key as LocalKeyEncryptionKey);

it('lets every process with the first one’s key start, and nobody with another', async () => {
  const records = new MemoryRecordStore(systemClock);
  await check(records);
  await check(records);
  await expect(check(records, theirs)).rejects.toThrow(SealingKeyError);
  await check(records);
});

it('lets one key win when processes with different ones start at the same moment', async () => {
  const records = new MemoryRecordStore(systemClock);
  const outcomes = await Promise.allSettled([ours, theirs, ours, theirs].map((key) => check(records, key)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
});

it('says which key is wrong without a byte of one', async () => {
  const records = new MemoryRecordStore(systemClock);
  await check(records);
  const refusal = await check(records, theirs).catch(String);
  expect(refusal).toContain('BEHALF_SEALING_KEY');
  expect(refusal).not.toContain(Buffer.alloc(32, 2).toString('base64').slice(0, 8));
});
