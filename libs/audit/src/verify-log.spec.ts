import { generateKeyPairSync } from 'node:crypto';
import { Files, leafOf, leavesOf, log, noteOf, origin, served } from './audit-log.fixture.js';
import {
  decodeBundle,
  encodeBundle,
  formatReceipt,
  formatVerifier,
  parseReceipt,
  parseVerifier,
  proveFromLog,
  verifyLog,
  verifyReceipt,
} from './index.js';

const few = leavesOf(3);
/** Whole tiles and a part of one, on both levels. */
const many = leavesOf(2 * 256 + 3);

describe('a log that is read whole', () => {
  it.each([0, 1, 7, 255, 256, 257, 515])('is sound with %d records, to whoever has its key', async (size) => {
    const { checkpoint, signers } = await verifyLog(served(leavesOf(size)), [
      parseVerifier(formatVerifier(log)),
    ]);
    expect(checkpoint.size).toBe(size);
    expect(signers).toEqual([origin]);
  });

  it('attack: any one bit of any of its files is flipped', async () => {
    const whole = await Files.of(few);
    expect([...whole.files.keys()].toSorted()).toEqual([
      'checkpoint',
      'tile/0/000.p/3',
      'tile/entries/000.p/3',
    ]);
    for (const [path, bytes] of whole.files) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        await expect(verifyLog(whole.with(path, changed), [log])).rejects.toThrow();
      }
    }
  });

  it('attack: any of its files ends after any byte but the last, or goes on', async () => {
    const whole = await Files.of(few);
    for (const [path, bytes] of whole.files) {
      for (let end = 0; end < bytes.length; end++)
        await expect(verifyLog(whole.with(path, bytes.subarray(0, end)), [log])).rejects.toThrow();
      const longer = Buffer.concat([bytes, Buffer.of(0)]);
      await expect(verifyLog(whole.with(path, longer), [log])).rejects.toThrow();
    }
  });

  it('attack: a file of a larger log is changed, taken away, or put in the place of another', async () => {
    const whole = await Files.of(many);
    expect([...whole.files.keys()].filter((path) => !path.includes('entries')).toSorted()).toEqual([
      'checkpoint',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/3',
      'tile/1/000.p/2',
    ]);
    for (const [path, bytes] of whole.files) {
      await expect(verifyLog(whole.with(path, undefined), [log])).rejects.toThrow();
      for (let byte = 0; byte < bytes.length; byte += 1021) {
        const changed = Buffer.from(bytes);
        changed[byte]! ^= 1;
        await expect(verifyLog(whole.with(path, changed), [log])).rejects.toThrow();
      }
      for (const other of whole.files.values())
        if (other !== bytes) await expect(verifyLog(whole.with(path, other), [log])).rejects.toThrow();
    }
  });

  it('attack: a record is dropped, doubled, added or moved', async () => {
    const note = noteOf(few);
    const refuses = (leaves: string[]) => expect(verifyLog(served(leaves, note), [log])).rejects.toThrow();
    for (const [at, leaf] of few.entries()) {
      const others = few.toSpliced(at, 1);
      await refuses(others);
      await refuses([leaf, ...few]);
      await refuses(at === 2 ? [leaf, ...others] : [...others, leaf]);
      await refuses(few.with(at, leafOf(at, 'another')));
    }
  });

  it('is nobody\u2019s under the signature of another key, or of none', async () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    await expect(verifyLog(served(few, noteOf(few, other)), [log])).rejects.toThrow();
    await expect(verifyLog(served(few), [])).rejects.toThrow();
    await expect(verifyLog(served(few), [{ ...log, kind: 'witness' }])).rejects.toThrow();
  });

  it('holds records only, in their one spelling', async () => {
    for (const odd of ['{}', 'x', leafOf(1).replace('{', '{ ')])
      await expect(verifyLog(served([odd]), [log])).rejects.toThrow();
  });

  it('has entries that end where they say', () => {
    const bundle = encodeBundle(['', 'a', 'b'.repeat(65_535)]);
    expect(decodeBundle(bundle)).toEqual(['', 'a', 'b'.repeat(65_535)]);
    expect(() => decodeBundle(bundle.subarray(0, -1))).toThrow();
    expect(() => decodeBundle(Buffer.of(0))).toThrow();
    expect(() => decodeBundle(Buffer.of(0, 1, 0xff))).toThrow();
  });
});

describe('a receipt', () => {
  const receiptOf = async (index: number, leaves = many) => ({
    ...(await proveFromLog(served(leaves), { note: noteOf(leaves), size: leaves.length }, index)),
    leaf: leaves[index],
  });

  it('shows of any record that it is in the log, to whoever has its key', async () => {
    for (const index of [0, 1, 255, 256, 511, 512, 514]) {
      const receipt = parseReceipt(formatReceipt(await receiptOf(index)));
      expect(verifyReceipt(receipt, [log])).toMatchObject({ leaf: many[index], signers: [origin] });
    }
    const { leaf, ...without } = await receiptOf(0, few.slice(0, 1));
    expect(() => verifyReceipt(without, [log])).toThrow();
    expect(verifyReceipt(parseReceipt(formatReceipt(without)), [log], leaf).leaf).toBe(leaf);
  });

  it('attack: any one bit of it is flipped, or it ends early', async () => {
    const text = formatReceipt(await receiptOf(1, few));
    const bytes = Buffer.from(text);
    const verify = (changed: string) => verifyReceipt(parseReceipt(changed), [log]);
    verify(text);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => verify(changed.toString('utf8'))).toThrow();
    }
    for (let end = 0; end < bytes.length; end++)
      expect(() => verify(bytes.subarray(0, end).toString('utf8'))).toThrow();
  });

  it('attack: it is shown for another record, or from another log', async () => {
    const receipt = await receiptOf(1, few);
    expect(() => verifyReceipt(receipt, [log], few[2])).toThrow();
    expect(() => verifyReceipt({ ...receipt, index: 2 }, [log])).toThrow();
    const other = generateKeyPairSync('ed25519');
    expect(() => verifyReceipt({ ...receipt, note: noteOf(few, other.privateKey) }, [log])).toThrow();
    expect(() => verifyReceipt(receipt, [{ ...log, key: other.publicKey }])).toThrow();
  });
});
