import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const blockBytes = 1024 * 1024;

/** A disk of its own for one folder, which can be full. It is made of memory, and only root on Linux may mount one. */
export class SmallDisk {
  private constructor(private readonly folder: string) {}

  /** @returns undefined where this process may mount nothing */
  static mount(folder: string, megabytes: number): SmallDisk | undefined {
    mkdirSync(folder, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', folder], { stdio: 'ignore' });
      return new SmallDisk(folder);
    } catch {
      return undefined;
    }
  }

  /** To the last byte. */
  fill(): void {
    for (let size = blockBytes; size >= 1; size = Math.floor(size / 16)) {
      try {
        for (;;) writeFileSync(this.#filler, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // No space for a piece of this size.
      }
    }
  }

  giveSpace(): void {
    rmSync(this.#filler);
  }

  unmount(): void {
    execFileSync('umount', [this.folder]);
  }

  get #filler(): string {
    return join(this.folder, 'filler');
  }
}
