import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateLocalKey } from './load-or-create-local-key.js';

describe('loadOrCreateLocalKey', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('creates a key that only its owner may read, and finds it again', async () => {
    const created = await loadOrCreateLocalKey(folder, {});
    expect((await stat(join(folder, 'sealing.key'))).mode & 0o777).toBe(0o600);
    expect((await loadOrCreateLocalKey(folder, {})).id).toBe(created.id);
  });

  it('gives two creators at once the same key and leaves nothing else behind', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateLocalKey(folder, {})));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['sealing.key']);
  });

  it('prefers the environment and writes nothing then', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    await loadOrCreateLocalKey(folder, { BEHALF_SEALING_KEY: key });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    'short',
    Buffer.alloc(31).toString('base64'),
    Buffer.alloc(33).toString('base64'),
    '!'.repeat(44),
  ])('refuses a key that is not 32 bytes of base64, without repeating it', async (key) => {
    const refused = loadOrCreateLocalKey(folder, { BEHALF_SEALING_KEY: key });
    await expect(refused).rejects.toThrow('BEHALF_SEALING_KEY');
    await expect(refused).rejects.not.toThrow(key);
  });

  it('refuses a damaged file and leaves it as it is', async () => {
    await writeFile(join(folder, 'sealing.key'), 'damaged');
    await expect(loadOrCreateLocalKey(folder, {})).rejects.toThrow('sealing.key');
    expect(await readFile(join(folder, 'sealing.key'), 'utf8')).toBe('damaged');
  });
});
