import { generateKeyPairSync } from 'node:crypto';
import { headOf, leafOf, leavesOf, log, noteOf, origin, served } from './audit-log.fixture.js';
import {
  type Checkpoint,
  RefusedHead,
  Witness,
  type WitnessRefusal,
  followLog,
  formatVerifier,
  hashLeaf,
  openNote,
  parseCheckpoint,
  parseVerifier,
  proveConsistency,
} from './index.js';

const witnessKeys = generateKeyPairSync('ed25519');
const witnessKey = { name: 'witness.example', kind: 'witness', key: witnessKeys.publicKey } as const;
const leaves = leavesOf(7);

describe('a witness', () => {
  let known: Checkpoint | undefined;
  let isFull: boolean;
  let witness: Witness;
  const memory = {
    read: async () => known,
    write: async (checkpoint: Checkpoint) => {
      if (isFull) throw new Error('disk full');
      known = checkpoint;
    },
  };
  beforeEach(() => {
    known = undefined;
    isFull = false;
    witness = new Witness(memory, {
      name: witnessKey.name,
      privateKey: witnessKeys.privateKey,
      log,
      nowSeconds: () => 1_800_000_000,
    });
  });
  const proofOf = (of: readonly string[], oldSize: number): Uint8Array[] =>
    proveConsistency(oldSize, of.length, (from, to) => (to - from === 1 ? hashLeaf(of[from]!) : undefined));
  const cosign = (of: readonly string[], oldSize = known?.size ?? 0, note = noteOf(of)): Promise<string> =>
    witness.cosign(note, oldSize, proofOf(of, oldSize));

  it('signs a log that grows, and its signature holds under the note', async () => {
    await cosign(leaves.slice(0, 3));
    await cosign(leaves.slice(0, 3));
    const note = noteOf(leaves) + (await cosign(leaves));
    const { text, signers } = openNote(note, [log, parseVerifier(formatVerifier(witnessKey))]);
    expect(signers).toEqual([origin, witnessKey.name]);
    expect(parseCheckpoint(text)).toEqual(headOf(leaves));
    expect(() =>
      openNote(note.replace('\u2014 witness.example c', '\u2014 witness.example d'), [log]),
    ).not.toThrow();
  });

  it.each<[string, WitnessRefusal['reason'], () => Promise<string>]>([
    ['rolled back', 'rolled_back', () => cosign(leaves.slice(0, 3), 3)],
    ['forked, with a proof of the other branch', 'forked', () => cosign([leafOf(9), ...leaves.slice(1)], 5)],
    ['of the same size with another root', 'forked', () => cosign([leafOf(9), ...leaves.slice(1, 5)], 5)],
    ['that proves from another size', 'stale', () => cosign(leaves, 4)],
    ['signed by another', 'not_signed', () => cosign(leaves, 5, noteOf(leaves, witnessKeys.privateKey))],
  ])('refuses a log %s, and remembers what it knew', async (_title, reason, attempt) => {
    await cosign(leaves.slice(0, 5));
    await expect(attempt()).rejects.toMatchObject({ name: 'WitnessRefusal', reason, knownSize: 5 });
    expect(known?.size).toBe(5);
    await cosign(leaves);
  });

  it('signs one of two logs that grow apart at the same time', async () => {
    await cosign(leaves.slice(0, 5));
    const outcomes = await Promise.allSettled([cosign(leaves), cosign([...leaves.slice(0, 5), leafOf(9)])]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('signs nothing that it could not write down', async () => {
    isFull = true;
    await expect(cosign(leaves)).rejects.toThrow('disk full');
  });

  const follow = (of: readonly string[], note = noteOf(of), from = of) =>
    followLog(served(from, note), witness, memory, log);

  it.each([1, 255, 256, 257, 600])('follows a log from %d records on', async (size) => {
    const many = leavesOf(700);
    await follow(many.slice(0, size));
    await follow(many.slice(0, size));
    const { note } = await follow(many);
    expect(openNote(note, [log, witnessKey]).signers).toEqual([origin, witnessKey.name]);
    expect(known).toEqual(headOf(many));
  });

  it.each<[string, WitnessRefusal['reason'], (many: string[]) => Promise<unknown>]>([
    ['rolled back', 'rolled_back', (many) => follow(many.slice(0, 299))],
    ['forked, and goes on', 'forked', (many) => follow(many.with(7, leafOf(9)))],
    ['forked at the same size', 'forked', (many) => follow(many.slice(0, 300).with(7, leafOf(9)))],
    [
      'forked, and shows the tiles of the other branch',
      'forked',
      (many) => follow(many, noteOf(many.with(7, leafOf(9)))),
    ],
    ['emptied', 'rolled_back', () => follow([])],
    ['signed by another', 'not_signed', (many) => follow(many, noteOf(many, witnessKeys.privateKey))],
  ])('attack: a log that it follows is %s', async (_title, reason, attempt) => {
    const many = leavesOf(520);
    await follow(many.slice(0, 300));
    await expect(attempt(many)).rejects.toMatchObject({ name: RefusedHead.name, reason, knownSize: 300 });
    expect(known?.size).toBe(300);
    await follow(many);
  });
});
