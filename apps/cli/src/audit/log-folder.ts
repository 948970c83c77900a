import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type LogSource,
  type NoteVerifier,
  type SignedHead,
  type Tile,
  formatTilePath,
  hasGrownFrom,
  openCheckpoint,
  verifyLog,
} from '@behalf/audit';

/** A log as files, at the paths that it has over HTTP. */
export class LogFolder implements LogSource {
  constructor(readonly folder: string) {}

  async checkpoint(): Promise<string> {
    return (await this.#read('checkpoint')).toString('utf8');
  }

  tile(tile: Tile): Promise<Uint8Array> {
    return this.#read(formatTilePath(tile));
  }

  async exists(): Promise<boolean> {
    return (await stat(this.folder).catch(() => undefined)) !== undefined;
  }

  async #read(path: string): Promise<Buffer> {
    try {
      return await readFile(join(this.folder, path));
    } catch (cause) {
      throw new Error(`${path} cannot be read`, { cause });
    }
  }
}

/**
 * Copies a log into a folder, which is there only when all of the log was read and is sound. In place of an earlier copy
 * it comes only if it holds all that the earlier one held.
 *
 * @throws Error that says what is wrong
 */
export async function saveLog(
  source: LogSource,
  target: LogFolder,
  verifiers: readonly NoteVerifier[],
): Promise<SignedHead> {
  const copying = `${target.folder}.copying`;
  await rm(copying, { recursive: true, force: true });
  try {
    const head = await verifyLog(savingTo(copying, source), verifiers);
    if (await target.exists()) {
      const { checkpoint } = openCheckpoint(await target.checkpoint(), verifiers);
      if (!(await hasGrownFrom(checkpoint, head.checkpoint, source)))
        throw new Error('the log does not hold what it held when it was exported before');
      await rm(target.folder, { recursive: true });
    }
    await rename(copying, target.folder);
    return head;
  } finally {
    await rm(copying, { recursive: true, force: true });
  }
}

function savingTo(folder: string, source: LogSource): LogSource {
  const save = async <T extends string | Uint8Array>(path: string, content: T): Promise<T> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600 });
    return content;
  };
  return {
    checkpoint: async () => save('checkpoint', await source.checkpoint()),
    tile: async (tile) => save(formatTilePath(tile), await source.tile(tile)),
  };
}
