import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const blockBytes = 1024 * 1024;

/** A disk of its own for one folder, which can be full. It is made of memory, and only root on Linux may mount one. */
export class SmallDisk {
  private constructor(private readonly folder: string) {}

  /** Whether this process may mount one. */
  static isPossible(): boolean {
    const folder = mkdtempSync(join(tmpdir(), 'behalf-disk-'));
    try {
      SmallDisk.mount(folder, 1).unmount();
      return true;
    } catch {
      return false;
    } finally {
      rmdirSync(folder);
    }
  }

  /** @throws Error where this process may mount nothing */
  static mount(folder: string, megabytes: number): SmallDisk {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', folder], { stdio: 'ignore' });
    return new SmallDisk(folder);
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

/** `it` where a small disk can be mounted. Elsewhere the test is skipped, and counted as such. */
export function itOnSmallDisk(): typeof it.skip {
  return SmallDisk.isPossible() ? it : it.skip;
}
