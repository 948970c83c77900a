import { type KnownHash, hashNode, hashRange, largestPowerBelow } from './merkle-tree.js';

/** What shows that a leaf is in a tree, from the leaf up. @see RFC 6962 §2.1.1 */
export function proveInclusion(index: number, size: number, known: KnownHash): Uint8Array[] {
  const prove = (from: number, to: number): Uint8Array[] => {
    if (to - from === 1) return [];
    const middle = from + largestPowerBelow(to - from);
    return index < middle
      ? [...prove(from, middle), hashRange(middle, to, known)]
      : [...prove(middle, to), hashRange(from, middle, known)];
  };
  if (!(index >= 0 && index < size)) throw new RangeError('there is no such leaf');
  return prove(0, size);
}

/** True when the proof leads from the leaf to the root. @see RFC 9162 §2.1.3.2 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return false;
  const rest = [...proof];
  const climb = (from: number, to: number): Uint8Array | undefined => {
    if (to - from === 1) return leaf;
    const sibling = rest.pop();
    const middle = from + largestPowerBelow(to - from);
    const below = sibling && (index < middle ? climb(from, middle) : climb(middle, to));
    if (!below || !sibling) return undefined;
    return index < middle ? hashNode(below, sibling) : hashNode(sibling, below);
  };
  const reached = climb(0, size);
  return rest.length === 0 && reached !== undefined && Buffer.compare(reached, root) === 0;
}

/** What shows that a tree only grew. @see RFC 6962 §2.1.2 */
export function proveConsistency(oldSize: number, size: number, known: KnownHash): Uint8Array[] {
  const prove = (from: number, to: number, old: number, isWhole: boolean): Uint8Array[] => {
    if (old === to) return isWhole ? [] : [hashRange(from, to, known)];
    const middle = from + largestPowerBelow(to - from);
    return old <= middle
      ? [...prove(from, middle, old, isWhole), hashRange(middle, to, known)]
      : [...prove(middle, to, old, false), hashRange(from, middle, known)];
  };
  if (!(oldSize >= 0 && oldSize <= size)) throw new RangeError('a tree does not shrink');
  return oldSize === 0 || oldSize === size ? [] : prove(0, size, oldSize, true);
}

export interface TreeHead {
  size: number;
  root: Uint8Array;
}

/** True when the new tree holds the old one unchanged. @see RFC 9162 §2.1.4.2 */
export function verifyConsistency(old: TreeHead, current: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (old.size > current.size) return false;
  if (old.size === current.size) return proof.length === 0 && Buffer.compare(old.root, current.root) === 0;
  if (old.size === 0) return proof.length === 0;
  const rest = [...proof];
  /** The roots that the old and the new tree have over a range, rebuilt from the proof. */
  const rebuild = (from: number, to: number, isWhole: boolean): [Uint8Array, Uint8Array] | undefined => {
    if (old.size === to) {
      const node = isWhole ? old.root : rest.pop();
      return node && [node, node];
    }
    const sibling = rest.pop();
    const middle = from + largestPowerBelow(to - from);
    const isLeft = old.size <= middle;
    const below = sibling && (isLeft ? rebuild(from, middle, isWhole) : rebuild(middle, to, false));
    if (!below || !sibling) return undefined;
    return isLeft
      ? [below[0], hashNode(below[1], sibling)]
      : [hashNode(sibling, below[0]), hashNode(sibling, below[1])];
  };
  const rebuilt = rebuild(0, current.size, true);
  return (
    rest.length === 0 &&
    rebuilt !== undefined &&
    Buffer.compare(rebuilt[0], old.root) === 0 &&
    Buffer.compare(rebuilt[1], current.root) === 0
  );
}
