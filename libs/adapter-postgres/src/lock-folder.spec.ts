import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderInUse, lockFolder } from './lock-folder.js';

/** When a process started, as the lock writes it. */
async function startedAt(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

describe('lockFolder', () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'behalf-lock-'));
    folder = join(parent, 'pg');
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('lets one of many in, and the next when that one has left', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
    const held = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(held).toHaveLength(1);
    await held[0]?.value();
    await (
      await lockFolder(folder)
    )();
    expect(await readdir(parent)).toEqual([]);
  });

  it('refuses a folder that another living process has open', async () => {
    await writeFile(`${folder}.lock`, `${process.ppid} ${await startedAt(process.ppid)}`);
    await expect(lockFolder(folder)).rejects.toMatchObject({ name: FolderInUse.name, pid: process.ppid });
    expect(await readdir(parent)).toEqual(['pg.lock']);
  });

  it('takes over the lock of a process that is gone, or that was another under the same number', async () => {
    const gone = spawnSync('true').pid;
    for (const stale of [`${gone} 1`, `${process.ppid} 1`, `${process.pid} 1`, 'damaged', '']) {
      await writeFile(`${folder}.lock`, stale);
      const unlock = await lockFolder(folder);
      expect(await readdir(parent)).toEqual(['pg.lock']);
      await unlock();
    }
  });
});
