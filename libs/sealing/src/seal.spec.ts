import { LocalKeyEncryptionKey } from './local-key-encryption-key.js';
import { type SealingContext, open, seal } from './seal.js';

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
    expect(one).toMatch(/^behalf-sealed-1\.local-[0-9a-f]{16}\.[\w-]+\.[\w-]+$/);
    const parts = [one, other].map((sealed) => sealed.split('.').slice(2));
    expect(new Set(parts.flat()).size).toBe(4);
  });

  it('seals nothing at all, too', async () => {
    expect(await open(kek, await seal(kek, new Uint8Array(), context), context)).toHaveLength(0);
  });

  it('refuses every single flipped bit of the wrapped key and of the ciphertext', async () => {
    const parts = (await seal(kek, secret, context)).split('.');
    for (const part of [2, 3]) {
      const bytes = Buffer.from(parts[part] ?? '', 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const sealed = parts.with(part, changed.toString('base64url')).join('.');
        expect(await problemOf(sealed)).toBe(part === 2 ? 'wrong_key' : 'not_authentic');
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
      expect(await problemOf(sealed, moved)).toBe('not_authentic');
    }
  });

  it('refuses the data key of one row beside the ciphertext of another', async () => {
    const [one, other] = [await seal(kek, secret, context), await seal(kek, secret, context)];
    const mixed = one
      .split('.')
      .with(2, other.split('.')[2] ?? '')
      .join('.');
    expect(await problemOf(mixed)).toBe('not_authentic');
  });

  it('refuses another key, also when it goes by the same id', async () => {
    const sealed = await seal(kek, secret, context);
    const foreign = new LocalKeyEncryptionKey(Buffer.alloc(32, 2));
    expect(await problemOf(sealed, context, foreign)).toBe('wrong_key');
    expect(await problemOf(sealed.replace(kek.id, foreign.id), context, foreign)).toBe('wrong_key');
  });

  it('refuses what is not a sealed text, or has a second spelling', async () => {
    const sealed = await seal(kek, secret, context);
    for (const text of ['', 'x', `${sealed}.x`, sealed.replace('-1.', '-2.'), `${sealed}=`, `${sealed} `]) {
      expect(await problemOf(text)).toBe('malformed');
    }
  });

  it('takes keys of 32 bytes only', () => {
    for (const bytes of [0, 16, 31, 33])
      expect(() => new LocalKeyEncryptionKey(Buffer.alloc(bytes))).toThrow(RangeError);
  });
});
