import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file with a configured secret, in a folder of its own, which is changed as a whole each time. */
export class SecretFile {
  readonly path: string;

  private constructor(private readonly folder: string) {
    this.path = join(folder, 'secret');
  }

  static async create(...lines: string[]): Promise<SecretFile> {
    const file = new SecretFile(await mkdtemp(join(tmpdir(), 'behalf-secret-')));
    await file.write(...lines);
    return file;
  }

  async write(...lines: string[]): Promise<void> {
    await writeFile(`${this.path}.new`, `${lines.join('\n')}\n`);
    await rename(`${this.path}.new`, this.path);
  }

  remove(): Promise<void> {
    return unlink(this.path);
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}
