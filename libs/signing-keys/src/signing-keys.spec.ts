import { MemoryRecordStore } from '@behalf/adapter-memory';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { FakeClock, describeSigner } from '@behalf/testing';
import { calculateJwkThumbprint, compactVerify, createLocalJWKSet } from 'jose';
import { JwtSigner, SigningKeys, signingKeyKind } from './index.js';

const kek = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));
const overlapSeconds = 3600;

describe('SigningKeys', () => {
  let clock: FakeClock;
  let records: MemoryRecordStore;
  let keys: SigningKeys;
  beforeEach(() => {
    clock = new FakeClock();
    records = new MemoryRecordStore(clock);
    keys = new SigningKeys(records, kek, clock, { overlapSeconds });
  });

  const published = async (): Promise<string[]> => (await keys.publicJwks()).keys.map(({ kid }) => kid);
  const signing = async (): Promise<string[]> => (await keys.current()).map(({ kid }) => kid);

  it('makes an ES256 and an RS256 key that sign, and publishes the next ones ahead', async () => {
    await keys.ensure();
    expect((await keys.current()).map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
    expect((await keys.publicJwks()).keys.map(({ alg }) => alg)).toEqual([
      'ES256',
      'RS256',
      'ES256',
      'RS256',
    ]);
    expect((await published()).slice(0, 2)).toEqual(await signing());
  });

  it('names each key by its thumbprint', async () => {
    await keys.ensure();
    for (const jwk of (await keys.publicJwks()).keys) expect(jwk.kid).toBe(await calculateJwkThumbprint(jwk));
  });

  it('keeps its keys, and makes one set when several processes start at once', async () => {
    const others = Array.from({ length: 3 }, () => new SigningKeys(records, kek, clock, { overlapSeconds }));
    await Promise.all(others.map((other) => other.ensure()));
    const before = await published();
    await keys.ensure();
    expect(before).toHaveLength(4);
    expect(await published()).toEqual(before);
  });

  it('stores and publishes nothing private', async () => {
    await keys.ensure();
    const [ec, rsa] = await keys.current();
    const stored = JSON.stringify(await records.list(signingKeyKind));
    const document = JSON.stringify(await keys.publicJwks());
    for (const secret of [ec?.d, rsa?.d, rsa?.p, rsa?.q]) {
      expect(secret).toBeDefined();
      expect(stored).not.toContain(secret);
      expect(document).not.toContain(secret);
    }
  });

  it('refuses a private key that was moved to another row', async () => {
    await keys.ensure();
    const [one, other] = await records.list(signingKeyKind, { where: { state: 'active' } });
    await records.transaction((transaction) =>
      transaction.put(signingKeyKind, one!.id, {
        ...one!.value,
        sealedPrivateJwk: other!.value.sealedPrivateJwk,
      }),
    );
    await expect(keys.current()).rejects.toMatchObject({ problem: 'wrong_key' });
  });

  it('refuses to open its keys under another sealing key', async () => {
    await keys.ensure();
    const foreign = new LocalKeyEncryptionKey(Buffer.alloc(32, 2));
    const stranger = new SigningKeys(records, foreign, clock, { overlapSeconds });
    await expect(stranger.current()).rejects.toMatchObject({ problem: 'wrong_key' });
  });

  it('rotates to the keys published ahead and keeps the old ones for as long as their tokens live', async () => {
    await keys.ensure();
    const [es, rs, nextEs, nextRs] = await published();
    expect(await keys.rotate()).toEqual([nextEs, nextRs]);
    expect(await signing()).toEqual([nextEs, nextRs]);
    expect(await published()).toHaveLength(6);

    clock.advanceSeconds(overlapSeconds - 1);
    expect(await published()).toEqual(expect.arrayContaining([es, rs]));
    clock.advanceSeconds(1);
    expect(await published()).toHaveLength(4);
    expect(await published()).not.toContain(es);
  });

  it('tells of a rotation in the transaction that makes it', async () => {
    await keys.ensure();
    const rotated = await keys.rotate();
    expect(records.outbox.map(({ type, data }) => ({ type, data }))).toEqual(
      rotated.map((kid) => ({ type: 'behalf.signing-keys.rotated', data: { kid } })),
    );
  });

  it('lets one of two rotations at once win', async () => {
    await keys.ensure();
    const outcomes = await Promise.allSettled([keys.rotate(), keys.rotate()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await signing()).toHaveLength(2);
    expect(await published()).toHaveLength(6);
  });
});

describeSigner('jose', async () => {
  const clock = new FakeClock();
  const keys = new SigningKeys(new MemoryRecordStore(clock), kek, clock, { overlapSeconds });
  await keys.ensure();
  return { signer: new JwtSigner(keys, clock), publicJwks: () => keys.publicJwks() };
});

describe('JwtSigner', () => {
  it('uses a new key when told of it, or after a while on its own', async () => {
    const clock = new FakeClock();
    const keys = new SigningKeys(new MemoryRecordStore(clock), kek, clock, { overlapSeconds });
    await keys.ensure();
    const [told, untold] = [new JwtSigner(keys, clock), new JwtSigner(keys, clock)];
    const kidOf = async (signer: JwtSigner): Promise<string | undefined> => {
      const jws = await signer.sign({}, { typ: 'at+jwt' });
      return (await compactVerify(jws, createLocalJWKSet(await keys.publicJwks()))).protectedHeader.kid;
    };
    const before = await kidOf(told);
    expect(await kidOf(untold)).toBe(before);

    const [after] = await keys.rotate();
    told.refresh();
    expect(await kidOf(told)).toBe(after);
    expect(await kidOf(untold)).toBe(before);
    clock.advanceSeconds(60);
    expect(await kidOf(untold)).toBe(after);
  });

  it('tries again after the keys could not be read', async () => {
    let working = false;
    const clock = new FakeClock();
    const keys = new SigningKeys(new MemoryRecordStore(clock), kek, clock, { overlapSeconds });
    await keys.ensure();
    const current = (): ReturnType<SigningKeys['current']> =>
      working ? keys.current() : Promise.reject(new Error('down'));
    const signer = new JwtSigner({ current }, clock);
    await expect(signer.sign({}, { typ: 'at+jwt' })).rejects.toThrow('down');
    working = true;
    expect(await signer.sign({}, { typ: 'at+jwt' })).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });
});
