import { generateKeyPairSync } from 'node:crypto';
import { canonicalJson } from '@behalf/i-json';
import {
  type Checkpoint,
  TreeEdge,
  Witness,
  WitnessRefusal,
  formatCheckpoint,
  formatExport,
  formatVerifier,
  hashLeaf,
  openNote,
  parseCheckpoint,
  parseVerifier,
  proveConsistency,
  proveLeaf,
  signNote,
  verifyExport,
  verifyInclusion,
} from './index.js';

const origin = 'as.example/audit';
const logKeys = generateKeyPairSync('ed25519');
const witnessKeys = generateKeyPairSync('ed25519');
const log = { name: origin, kind: 'log', key: logKeys.publicKey } as const;
const witnessKey = { name: 'witness.example', kind: 'witness', key: witnessKeys.publicKey } as const;
const leafOf = (n: number, client = `client-${n}`): string =>
  canonicalJson({ type: 'exchange', outcome: 'allowed', occurredAtMs: n, client });
const leaves = Array.from({ length: 7 }, (_, n) => leafOf(n));
const headOf = (of: readonly string[]): Checkpoint => ({
  origin,
  size: of.length,
  root: TreeEdge.empty.append(of.map((leaf) => hashLeaf(leaf))).root,
});
const noteOf = (of: readonly string[], key = logKeys.privateKey): string => {
  const text = formatCheckpoint(headOf(of));
  return `${text}\n${signNote(text, { name: origin, kind: 'log', privateKey: key })}`;
};
const exported = formatExport(noteOf(leaves), leaves);
const verify = (text: string) => verifyExport(text, [log]);

describe('an exported audit log', () => {
  it('is verified with a key that was handed on as text', () => {
    const {
      checkpoint,
      signers,
      leaves: found,
    } = verifyExport(exported, [parseVerifier(formatVerifier(log))]);
    expect(found).toEqual(leaves);
    expect(signers).toEqual([origin]);
    expect(checkpoint.size).toBe(7);
    expect(verify(formatExport(noteOf([]), [])).leaves).toEqual([]);
  });

  it('proves each of its records', () => {
    const verified = verify(exported);
    for (const [index, leaf] of leaves.entries()) {
      const proof = proveLeaf(verified, index).map((node) => Buffer.from(node, 'base64'));
      expect(verifyInclusion(hashLeaf(leaf), index, 7, proof, verified.checkpoint.root)).toBe(true);
    }
  });

  it('is not what it was with any one bit flipped', () => {
    const bytes = Buffer.from(exported);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => verify(changed.toString('utf8'))).toThrow();
    }
  });

  it('is not whole when it ends after any byte but the last', () => {
    const bytes = Buffer.from(exported);
    for (let end = 0; end < bytes.length; end++)
      expect(() => verify(bytes.subarray(0, end).toString('utf8'))).toThrow();
  });

  it('shows a record that was dropped, doubled, added or moved', () => {
    const note = noteOf(leaves);
    for (const [at, leaf] of leaves.entries()) {
      const others = leaves.toSpliced(at, 1);
      expect(() => verify(formatExport(note, others))).toThrow();
      expect(() => verify(formatExport(note, leaves.toSpliced(at, 0, leaf)))).toThrow();
      const moved = at === 6 ? [leaf, ...others] : [...others, leaf];
      expect(() => verify(formatExport(note, moved))).toThrow();
    }
    expect(() => verify(formatExport(note, [...leaves, leafOf(8)]))).toThrow();
  });

  it('is nobody\u2019s under the signature of another key, or of none', () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    expect(() => verify(formatExport(noteOf(leaves, other), leaves))).toThrow();
    expect(() => verifyExport(exported, [])).toThrow();
    expect(() => verifyExport(exported, [witnessKey])).toThrow();
  });

  it('holds records only, in their one spelling', () => {
    for (const odd of ['{}', 'x', leafOf(1).replace('{', '{ ')])
      expect(() => verify(formatExport(noteOf([odd]), [odd]))).toThrow();
  });
});

describe('a witness', () => {
  let known: Checkpoint | undefined;
  let witness: Witness;
  const memory = {
    read: async () => known,
    write: async (checkpoint: Checkpoint) => {
      known = checkpoint;
    },
  };
  beforeEach(() => {
    known = undefined;
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
    memory.write = async () => Promise.reject(new Error('disk full'));
    await expect(cosign(leaves)).rejects.toThrow('disk full');
  });
});
