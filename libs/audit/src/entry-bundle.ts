/** What the length before an entry can say. A record that is longer is none. @see c2sp.org/tlog-tiles */
export const maxLeafBytes = 0xff_ff;

/** Entries behind one another, each after its length. */
export function encodeBundle(leaves: readonly string[]): Buffer {
  return Buffer.concat(
    leaves.flatMap((leaf) => {
      const bytes = Buffer.from(leaf);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** @throws Error for what does not end with an entry, or is no UTF-8 */
export function decodeBundle(bundle: Uint8Array): string[] {
  const bytes = Buffer.from(bundle);
  const leaves: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 2;
    const end = start + (start <= bytes.length ? bytes.readUInt16BE(at) : 0);
    if (start > bytes.length || end > bytes.length) throw new Error('a tile ends in the middle of an entry');
    const leaf = bytes.toString('utf8', start, end);
    if (!Buffer.from(leaf).equals(bytes.subarray(start, end))) throw new Error('an entry is no UTF-8');
    leaves.push(leaf);
    at = end;
  }
  return leaves;
}
