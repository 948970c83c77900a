import fc from 'fast-check';
import {
  type KnownHash,
  TreeEdge,
  hashLeaf,
  hashRange,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

const hashes = Array.from({ length: 300 }, (_, n) => hashLeaf(`leaf ${n}`));
const known: KnownHash = (from, to) => (to - from === 1 ? hashes[from] : undefined);
const rootOf = (size: number): Uint8Array => hashRange(0, size, known);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const sizes = fc.integer({ min: 1, max: hashes.length });

/** The eight leaves that the implementations of Certificate Transparency are tested with. */
const vectors = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];

describe('the Merkle tree', () => {
  it('RFC 6962 §2.1: has the roots that others compute', () => {
    const leaves = vectors.map((leaf) => hashLeaf(Buffer.from(leaf, 'hex')));
    expect(hex(TreeEdge.empty.root)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(TreeEdge.empty.append(leaves.slice(0, 1)).root)).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    expect(hex(TreeEdge.empty.append(leaves).root)).toBe(
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    );
  });

  it('has the same root however its leaves were appended', () => {
    fc.assert(
      fc.property(sizes, sizes, (size, cut) => {
        const first = TreeEdge.empty.append(hashes.slice(0, Math.min(cut, size)));
        const whole = first.append(hashes.slice(Math.min(cut, size), size));
        expect(whole.size).toBe(size);
        expect(hex(whole.root)).toBe(hex(rootOf(size)));
      }),
    );
  });

  it('proves every leaf in every tree, and no other leaf, place or root', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, at, other) => {
        const index = at % size;
        const proof = proveInclusion(index, size, known);
        const verify = (
          leaf: number,
          place: number,
          of = size,
          nodes = proof,
          root = rootOf(size),
        ): boolean => verifyInclusion(hashes[leaf]!, place, of, nodes, root);
        expect(verify(index, index)).toBe(true);
        if (other % size !== index) {
          expect(verify(other % size, index)).toBe(false);
          expect(verify(index, other % size)).toBe(false);
        }
        expect(verify(index, index, size, [...proof, hashLeaf('one more')])).toBe(false);
        if (proof.length > 0) expect(verify(index, index, size, proof.slice(1))).toBe(false);
        expect(verify(index, size)).toBe(false);
        expect(verify(index, -1)).toBe(false);
        expect(verify(index, index, size, proof, hashLeaf('another root'))).toBe(false);
      }),
    );
  });

  it('proves that a tree grew, and proves it of no other', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), (one, another, at) => {
        const [oldSize, size] = [Math.min(one, another), Math.max(one, another)];
        const old = { size: oldSize, root: rootOf(oldSize) };
        const current = { size, root: rootOf(size) };
        const proof = proveConsistency(oldSize, size, known);
        expect(verifyConsistency(old, current, proof)).toBe(true);
        const changed = hashes.with(at % oldSize, hashLeaf('forged'));
        const forged = hashRange(0, size, (from, to) => (to - from === 1 ? changed[from] : undefined));
        const forgedProof = proveConsistency(oldSize, size, (from, to) =>
          to - from === 1 ? changed[from] : undefined,
        );
        expect(verifyConsistency(old, { size, root: forged }, forgedProof)).toBe(false);
        expect(verifyConsistency(old, { size, root: forged }, proof)).toBe(false);
        if (size > oldSize) expect(verifyConsistency(current, old, proof)).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(old, current, proof.slice(1))).toBe(false);
        expect(verifyConsistency(old, current, [...proof, hashLeaf('one more')])).toBe(false);
      }),
    );
  });
});
