import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfiguredSecret } from './configured-secret.js';

describe('a secret that the configuration names', () => {
  let folder: string;
  let file: string;
  let nowMs: number;
  let secret: ConfiguredSecret;
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
    nowMs += 1_000;
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-secret-'));
    file = join(folder, 'secret');
    nowMs = 0;
    await write('one\n');
    secret = ConfiguredSecret.named('SECRET', { SECRET: 'ignored', SECRET_FILE: file }, () => nowMs);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is two while it is changed, the first of them presented, and then the new one alone', async () => {
    expect([secret.accepted(), secret.newest()]).toEqual([['one'], 'one']);
    await write('one\ntwo\n');
    expect([secret.accepted(), secret.newest()]).toEqual([['one', 'two'], 'one']);
    await write('two\r\none\r\n');
    expect([secret.accepted(), secret.newest()]).toEqual([['two', 'one'], 'two']);
    await write('two');
    expect([secret.accepted(), secret.newest()]).toEqual([['two'], 'two']);
  });

  it('is never more than two: what stands below is old', async () => {
    await write('three\ntwo\none\n');
    expect(secret.accepted()).toEqual(['three', 'two']);
  });

  it('is read once in a second, and the same list while nothing changes', async () => {
    const before = secret.accepted();
    await write('one\n');
    expect(secret.accepted()).toBe(before);
    await write('two\n');
    nowMs -= 1;
    expect(secret.accepted()).toBe(before);
    nowMs += 1;
    expect(secret.accepted()).toEqual(['two']);
  });

  it('lets nobody in when its file is empty or gone, and presents what it last was', async () => {
    await write('\n');
    expect([secret.accepted(), secret.newest()]).toEqual([[], 'one']);
    await write('two\n');
    await unlink(file);
    nowMs += 1_000;
    expect([secret.accepted(), secret.newest()]).toEqual([[], 'one']);
  });

  it('stays as it was while its file cannot be read for another reason', async () => {
    await unlink(file);
    await mkdir(file);
    nowMs += 1_000;
    expect(secret.accepted()).toEqual(['one']);
  });

  it('gives what is derived from it for a purpose, and from the one before, while it changes', async () => {
    const texts = (purpose: string): (() => string[]) => {
      const derived = secret.derivedFor(purpose);
      return () => derived().map((bytes) => Buffer.from(bytes).toString('hex'));
    };
    const [sessions, again, nonces] = ['sessions', 'sessions', 'nonces'].map(texts);
    const [old] = sessions!();
    expect(again!()).toEqual([old]);
    expect(nonces!()).not.toEqual([old]);
    await write('two\none\n');
    const both = sessions!();
    expect(both).toEqual([expect.not.stringContaining(old!), old]);
    await write('two\n');
    expect(sessions!()).toEqual([both[0]]);
    await unlink(file);
    nowMs += 1_000;
    expect(sessions!()).toEqual([both[0]]);
  });

  it('has to be there at the start, and is not told when it is not', async () => {
    await write('\n');
    for (const environment of [{}, { SECRET: '' }, { SECRET_FILE: file }, { SECRET_FILE: folder }])
      expect(() => ConfiguredSecret.named('SECRET', environment)).toThrow(/SECRET/);
    expect(ConfiguredSecret.named('SECRET', { SECRET: 'a\nb' }).accepted()).toEqual(['a\nb']);
  });
});
