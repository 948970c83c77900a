/** Cuts a byte stream into lines, and refuses one that outgrows its bound: a program must not fill our memory. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(private readonly maxLineBytes: number) {}

  /** @throws Error once a line is too long */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      lines.push(Buffer.concat([...this.#rest, chunk.subarray(from, end)]).toString('utf8'));
      this.#rest = [];
      this.#restBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      this.#rest.push(chunk.subarray(from));
      this.#restBytes += chunk.length - from;
    }
    if (this.#restBytes > this.maxLineBytes) throw new Error('line too long');
    return lines;
  }
}
