import { aesKey, encryptAesGcm } from './aes-gcm.js';
import { KeyRing } from './key-ring.js';
import { LocalKeyEncryptionKey } from './local-key-encryption-key.js';
import { type SealingContext, open, rewrap, seal } from './seal.js';

const kek = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));
const context = { kind: 'connection', id: 'c1', owner: 'alice' };
const secret = Buffer.from('a refresh token');

/** The code of the refusal, so that a test never matches its words. */
async function problemOf(sealed: string, under: SealingContext = context, key = kek): Promise<string> {
  return open(key, sealed, under).then(
    () => 'opened',
    (error: { problem?: string }) => error.problem ?? 'another error',
  );
}

describe('seal and open', () => {
  it('gives back what was sealed, for the same context in any order', async () => {
    const sealed = await seal(kek, secret, context);
    expect(Buffer.from(await open(kek, sealed, { owner: 'alice', id: 'c1', kind: 'connection' }))).toEqual(
      secret,
    );
  });

  it('shows nothing of the secret and never seals the same way twice', async () => {
    const [one, other] = [await seal(kek, secret, context), await seal(kek, secret, context)];
    expect(one).toMatch(/^behalf-sealed-2\.local-[0-9a-f]{16}(\.[\w-]+){3}$/);
    const parts = [one, other].map((sealed) => sealed.split('.').slice(2));
    expect(new Set(parts.flat()).size).toBe(6);
  });

  it('seals nothing at all, too', async () => {
    expect(await open(kek, await seal(kek, new Uint8Array(), context), context)).toHaveLength(0);
  });

  it('refuses every single flipped bit of the wrapped key and of the ciphertext', async () => {
    const parts = (await seal(kek, secret, context)).split('.');
    for (const part of [3, 4]) {
      const bytes = Buffer.from(parts[part] ?? '', 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const sealed = parts.with(part, changed.toString('base64url')).join('.');
        expect(await problemOf(sealed)).toBe(part === 3 ? 'wrong_key' : 'not_authentic');
      }
    }
  });

  it('refuses a row that was moved to another owner, id or kind', async () => {
    const sealed = await seal(kek, secret, context);
    for (const moved of [
      { ...context, owner: 'bob' },
      { ...context, id: 'c2' },
      { ...context, kind: 'signing-key' },
      { kind: 'connection', id: 'c1' },
      { ...context, resource: '' },
      { kind: 'connection', id: 'c', owner: '1alice' },
    ]) {
      expect(await problemOf(sealed, moved)).toBe('wrong_key');
    }
  });

  it('refuses the data key of one row beside the ciphertext of another', async () => {
    const [one, other] = [await seal(kek, secret, context), await seal(kek, secret, context)];
    const parts = one.split('.');
    const [, , dataKeyId = '', wrapped = ''] = other.split('.');
    expect(await problemOf(parts.with(3, wrapped).join('.'))).toBe('wrong_key');
    expect(await problemOf(parts.with(2, dataKeyId).with(3, wrapped).join('.'))).toBe('not_authentic');
  });

  it('refuses another key, also when it goes by the same id', async () => {
    const sealed = await seal(kek, secret, context);
    const foreign = new LocalKeyEncryptionKey(Buffer.alloc(32, 2));
    expect(await problemOf(sealed, context, foreign)).toBe('wrong_key');
    expect(await problemOf(sealed.replace(kek.id, foreign.id), context, foreign)).toBe('wrong_key');
  });

  it('refuses what is not a sealed text, or has a second spelling', async () => {
    const sealed = await seal(kek, secret, context);
    for (const text of [
      '',
      'x',
      `${sealed}.x`,
      sealed.replace('-2.', '-3.'),
      sealed.replace('-2.', '-1.'),
      `${sealed}=`,
      `${sealed} `,
    ]) {
      expect(await problemOf(text)).toBe('malformed');
    }
  });

  it('takes keys of 32 bytes only', () => {
    for (const bytes of [0, 16, 31, 33])
      expect(() => new LocalKeyEncryptionKey(Buffer.alloc(bytes))).toThrow(RangeError);
  });

  it('still opens what the first version sealed, in its place only', async () => {
    // Made by version 1 with the key and context above.
    const sealed = firstVersion();
    expect(Buffer.from(await open(kek, sealed, context)).toString()).toBe('a refresh token');
    expect(await problemOf(sealed, { ...context, owner: 'bob' })).toBe('not_authentic');
  });
});

describe('rewrap', () => {
  const next = new LocalKeyEncryptionKey(Buffer.alloc(32, 3));

  it('moves the data key to the current key and leaves the ciphertext as it is', async () => {
    const sealed = await seal(kek, secret, context);
    const moved = (await rewrap(new KeyRing(next, [kek]), sealed, context)) ?? '';
    expect(Buffer.from(await open(next, moved, context))).toEqual(secret);
    expect(moved.split('.')[4]).toBe(sealed.split('.')[4]);
    expect(await problemOf(moved)).toBe('wrong_key');
  });

  it('has nothing to do for what is under the current key already', async () => {
    expect(await rewrap(new KeyRing(kek, [next]), await seal(kek, secret, context), context)).toBeUndefined();
  });

  it('moves nothing that was swapped, and nothing whose key is not there', async () => {
    const sealed = await seal(kek, secret, context);
    const ring = new KeyRing(next, [kek]);
    await expect(rewrap(ring, sealed, { ...context, owner: 'bob' })).rejects.toMatchObject({
      problem: 'wrong_key',
    });
    await expect(rewrap(new KeyRing(next), sealed, context)).rejects.toMatchObject({
      problem: 'unknown_key',
    });
  });

  it('lets a ring open what any of its keys sealed', async () => {
    const ring = new KeyRing(next, [kek]);
    for (const key of [kek, next]) {
      expect(Buffer.from(await open(ring, await seal(key, secret, context), context))).toEqual(secret);
    }
  });
});

/** As the first version wrote it: the wrapped key bound to the key's id only, the ciphertext to that and the context. */
function firstVersion(): string {
  const dataKey = Buffer.alloc(32, 9);
  const parts = Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1));
  const aad = Buffer.from(JSON.stringify(['behalf-sealed-1', kek.id, parts]));
  const wrapped = encryptAesGcm(aesKey(Buffer.alloc(32, 1)), dataKey, Buffer.from(kek.id));
  const ciphertext = encryptAesGcm(aesKey(dataKey), secret, aad);
  const texts = [wrapped, ciphertext].map((bytes) => Buffer.from(bytes).toString('base64url'));
  return ['behalf-sealed-1', kek.id, ...texts].join('.');
}
