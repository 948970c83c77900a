import { hash } from 'node:crypto';

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

/** The hash of a leaf. Its first byte keeps a leaf from passing for a node. @see RFC 6962 §2.1 */
export function hashLeaf(leaf: string | Uint8Array): Buffer {
  // As text it is turned into bytes where it is hashed.
  const prefixed = typeof leaf === 'string' ? `\0${leaf}` : Buffer.concat([leafPrefix, leaf]);
  return sha256(prefixed);
}

export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

/** Taken as text, and made bytes of here: a buffer that node makes for 32 bytes costs more than the digest. */
function sha256(data: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'binary');
}

export const emptyRoot = hash('sha256', Buffer.alloc(0), 'buffer');

/**
 * The right edge of a Merkle tree: all that is needed to append to it and to know its root. A value: appending gives
 * another one, so that what could not be written is simply forgotten.
 */
export class TreeEdge {
  /** @param peaks the roots of the full subtrees, the largest first: one for each bit that is set in `size` */
  constructor(
    readonly size: number,
    readonly peaks: readonly Uint8Array[],
  ) {}

  static readonly empty = new TreeEdge(0, []);

  append(leaves: readonly Uint8Array[]): TreeEdge {
    const peaks = [...this.peaks];
    let { size } = this;
    for (const leaf of leaves) {
      let node: Uint8Array = leaf;
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) node = hashNode(peaks.pop()!, node);
      peaks.push(node);
      size += 1;
    }
    return new TreeEdge(size, peaks);
  }

  get root(): Uint8Array {
    const [last, ...others] = this.peaks.toReversed();
    return last === undefined
      ? emptyRoot
      : others.reduce<Uint8Array>((right, left) => hashNode(left, right), last);
  }
}

/** The hash of the leaves from `from` up to `to`, when there is a shorter way to know it than from its leaves. */
export type KnownHash = (from: number, to: number) => Uint8Array | undefined;

/** MTH of RFC 6962 §2.1 over a range. `known` has to know single leaves. */
export function hashRange(from: number, to: number, known: KnownHash): Uint8Array {
  if (from === to) return emptyRoot;
  const direct = known(from, to);
  if (direct) return direct;
  if (to - from === 1) throw new Error(`leaf ${from} is not known`);
  const middle = from + largestPowerBelow(to - from);
  return hashNode(hashRange(from, middle, known), hashRange(middle, to, known));
}

/** The largest power of two that is smaller than `size`, which is at least 2. Not by bits: logs outgrow 31 of them. */
export function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
