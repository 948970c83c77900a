import { type FileHandle, copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** From there on a journal is written anew, with what is still kept in it, once that is less than half of it. */
const rewriteFromBytes = 4 * 1024 * 1024;
const title = 'behalf-audit-journal/1';

export interface AuditJournalOptions {
  /** Told of lines that cannot be read, and of a file that could not be made smaller. Neither stops anything. */
  onError?: (error: unknown) => void;
  rewriteFromBytes?: number;
}

interface Pending {
  readonly leaf: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Leaves of the audit log that have no place in it yet, in a file: a line each, after its checksum. For one program at a
 * time.
 *
 * What was written survives the end of the program, however it ends. When it gets to the disk is left to the operating
 * system, as it is for the embedded database beside it.
 */
export class AuditJournal {
  #pending: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #end = 0;
  #keptBytes = 0;
  #rewriteFrom: number;

  private constructor(
    private readonly path: string,
    private readonly options: AuditJournalOptions,
    private readonly kept: string[],
    private placedFrom: number,
    private file?: FileHandle,
  ) {
    this.#rewriteFrom = options.rewriteFromBytes ?? rewriteFromBytes;
    this.#keptBytes = bytesOf(kept);
  }

  /** With the leaves that an earlier program has left in it. Where lines cannot be read, the file is kept aside, too. */
  static async open(path: string, options: AuditJournalOptions = {}): Promise<AuditJournal> {
    const { leaves, placedFrom, unreadable } = parse(await readIfThere(path));
    if (unreadable > 0) {
      await copyFile(path, `${path}.unreadable`);
      options.onError?.(new Error(`${unreadable} lines of the journal are not as they were written`));
    }
    const journal = new AuditJournal(path, options, leaves, placedFrom);
    await journal.#rewrite();
    return journal;
  }

  /** What waits for its place, the oldest first. */
  get leaves(): readonly string[] {
    return this.kept;
  }

  /** None of `leaves` has a place in the log before this one. */
  get firstPlace(): number {
    return this.placedFrom;
  }

  /** Before anything is written. The file says, too, that none of its leaves has a place before this one. */
  async begin(firstPlace: number): Promise<void> {
    this.placedFrom = firstPlace;
    await this.#rewrite();
  }

  /** Resolves when the leaf is written. Leaves that come while others are written share the next write. */
  write(leaf: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ leaf, resolve, reject });
    this.#flushing ??= this.#flush();
    return promise;
  }

  /** The oldest leaves have their place; every other one is to get one from `firstPlace` on. */
  forget(count: number, firstPlace: number): void {
    this.#keptBytes -= bytesOf(this.kept.splice(0, count));
    this.placedFrom = firstPlace;
    if (this.#isTooLong()) this.#flushing ??= this.#flush();
  }

  /** Resolves when all is written. Nothing is left of a journal in which nothing waits. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.file?.close();
    if (this.kept.length === 0) await rm(this.path);
  }

  async #flush(): Promise<void> {
    // Whoever is being served right now gets to add a leaf of their own.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0 || this.#isTooLong()) {
      await this.#write(this.#pending.splice(0));
      if (this.#isTooLong()) await this.#rewrite().catch((error: unknown) => this.#rewriteLater(error));
    }
    this.#flushing = undefined;
  }

  /** What a write that failed has left behind is written over by the next one. */
  async #write(batch: readonly Pending[]): Promise<void> {
    const lines = Buffer.from(batch.map(({ leaf }) => toLine(leaf)).join(''));
    try {
      for (let written = 0; written < lines.length;)
        written += (await this.file!.write(lines, written, undefined, this.#end + written)).bytesWritten;
    } catch (error) {
      for (const { reject } of batch) reject(error);
      await this.file!.truncate(this.#end).catch(() => {});
      return;
    }
    this.#end += lines.length;
    this.#keptBytes += lines.length;
    for (const { leaf, resolve } of batch) {
      this.kept.push(leaf);
      resolve();
    }
  }

  #isTooLong(): boolean {
    return this.#end > this.#rewriteFrom && this.#keptBytes < this.#end / 2;
  }

  /** Put in place of the old file in one step. */
  async #rewrite(): Promise<void> {
    const text = [`${title} ${this.placedFrom}`, ...this.kept].map(toLine).join('');
    const path = `${this.path}.new`;
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(text);
      await rename(path, this.path);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.file?.close();
    this.file = file;
    this.#end = Buffer.byteLength(text);
  }

  #rewriteLater(error: unknown): void {
    this.#rewriteFrom = this.#end * 2;
    this.options.onError?.(error);
  }
}

function toLine(text: string): string {
  return `${checksum(text)} ${text}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

const bytesOf = (leaves: readonly string[]): number =>
  leaves.reduce((sum, leaf) => sum + Buffer.byteLength(leaf) + '00000000 \n'.length, 0);

/** Without a readable first line, the leaves may be anywhere in the log. */
function parse(text: string): { leaves: string[]; placedFrom: number; unreadable: number } {
  // What comes after the last line feed was never acknowledged.
  const lines = text.split('\n').slice(0, -1);
  const texts = lines.flatMap((line) => (`${line}\n` === toLine(line.slice(9)) ? [line.slice(9)] : []));
  const [first, ...leaves] = texts;
  const unreadable = lines.length - texts.length;
  const isFirst = first?.startsWith(`${title} `);
  if (first === undefined || !isFirst) return { leaves: texts, placedFrom: 0, unreadable };
  return { leaves, placedFrom: Number(first.slice(title.length)), unreadable };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
