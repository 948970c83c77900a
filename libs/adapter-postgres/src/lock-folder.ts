import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** A living program has the folder open. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
  constructor(
    readonly folder: string,
    readonly pid: number,
  ) {
    super(`${folder} is in use by process ${pid}; stop it first, or choose another folder`);
  }
}

const heldHere = new Set<string>();

/**
 * Locks a folder by a file beside it that names this process. A lock whose process is gone is taken over.
 *
 * Only programs on one machine see each other: a folder shared over a network is not protected.
 *
 * @returns what gives the lock back
 * @throws FolderInUse
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = `${folder}.lock`;
  if (heldHere.has(file)) throw new FolderInUse(folder, process.pid);
  heldHere.add(file);
  try {
    while (!(await create(file))) await removeStale(folder, file);
  } catch (error) {
    heldHere.delete(file);
    throw error;
  }
  return async () => {
    await rm(file, { force: true });
    heldHere.delete(file);
  };
}

/** Written aside and linked into place, so that nobody ever reads half a lock. */
async function create(file: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${process.pid} ${await startedAt(process.pid)}`, { flag: 'wx' });
  return linkInto(draft, file);
}

/** Of two that find a lock stale, one may already have put its own in place: that one is given back. */
async function removeStale(folder: string, file: string): Promise<void> {
  const found = await readIfThere(file);
  if (found === undefined) return;
  const [pid, started = ''] = found.split(' ');
  if (await isRunning(Number(pid), started)) throw new FolderInUse(folder, Number(pid));
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readIfThere(aside)) === found) await rm(aside);
  else await linkInto(aside, file);
}

async function linkInto(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isRunning(pid: number, started: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // In a container the next program often gets the number of the one before; it did not start at the same time.
  return (await startedAt(pid)) === started;
}

/** Clock ticks between boot and start, where the system tells; otherwise the number of the process has to do. */
async function startedAt(pid: number): Promise<string> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
