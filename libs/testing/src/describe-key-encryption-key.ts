import { type KeyEncryptionKey, KeyRing, open, rewrap, seal } from '@behalf/sealing';

export interface OpenKeyEncryptionKey {
  key: KeyEncryptionKey;
  /** Another key of the same kind. */
  other: KeyEncryptionKey;
  close(): Promise<void>;
}

/** What every key-encryption key guarantees. */
export function describeKeyEncryptionKey(name: string, start: () => Promise<OpenKeyEncryptionKey>): void {
  describe(`key-encryption key: ${name}`, () => {
    let opened: OpenKeyEncryptionKey;
    let key: KeyEncryptionKey;
    beforeEach(async () => {
      opened = await start();
      key = opened.key;
    });
    afterEach(() => opened.close());

    const dataKey = Buffer.alloc(32, 5);
    const binding = Buffer.from('a place');
    const problemOf = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'none',
        (error: { problem?: string }) => error.problem ?? 'another error',
      );

    it('has an id that a sealed text can hold, and no two keys share', () => {
      expect(key.id).toMatch(/^[\w-]+$/);
      expect(key.id).not.toBe(opened.other.id);
    });

    it('gives back what it wrapped, and shows nothing of it', async () => {
      const wrapped = await key.wrap(dataKey, binding);
      expect(Buffer.from(wrapped).includes(dataKey)).toBe(false);
      expect(Buffer.from(await key.unwrap(wrapped, binding))).toEqual(dataKey);
    });

    it('unwraps for the same binding only', async () => {
      const wrapped = await key.wrap(dataKey, binding);
      for (const moved of [Buffer.from('another place'), new Uint8Array()]) {
        expect(await problemOf(key.unwrap(wrapped, moved))).toBe('wrong_key');
      }
    });

    it('refuses what another key wrapped, and what was changed', async () => {
      expect(await problemOf(key.unwrap(await opened.other.wrap(dataKey, binding), binding))).toBe(
        'wrong_key',
      );
      const changed = Buffer.from(await key.wrap(dataKey, binding));
      changed[changed.length - 6]! ^= 1;
      expect(await problemOf(key.unwrap(changed, binding))).toBe('wrong_key');
    });

    it('seals, opens, and hands data keys over to the next key', async () => {
      const context = { kind: 'test', id: '1' };
      const sealed = await seal(key, Buffer.from('a secret'), context);
      const moved = (await rewrap(new KeyRing(opened.other, [key]), sealed, context)) ?? '';
      expect(Buffer.from(await open(opened.other, moved, context)).toString()).toBe('a secret');
    });

    it('wraps anew what it wrapped, where it can', async () => {
      const wrapped = await key.wrap(dataKey, binding);
      const renewed = await key.rewrap?.(wrapped, binding);
      if (!renewed) return;
      expect(Buffer.from(renewed)).not.toEqual(Buffer.from(wrapped));
      expect(Buffer.from(await key.unwrap(renewed, binding))).toEqual(dataKey);
      expect(await problemOf(key.rewrap!(wrapped, Buffer.from('another place')))).toBe('wrong_key');
    });
  });
}
