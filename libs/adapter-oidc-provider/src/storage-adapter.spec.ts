import { MemoryRecordStore } from '@behalf/adapter-memory';
import { FakeClock } from '@behalf/testing';
import { errors } from 'oidc-provider';
import { liveRevocations } from './revocation-records.js';
import { StorageAdapter } from './storage-adapter.js';

const refreshGraceSeconds = 10;

describe('StorageAdapter', () => {
  let clock: FakeClock;
  let records: MemoryRecordStore;
  const adapterOf = (model: string): StorageAdapter =>
    new StorageAdapter(model, { records, clock, refreshGraceSeconds, revocationLifetimeSeconds: 900 });
  beforeEach(() => {
    clock = new FakeClock();
    records = new MemoryRecordStore(clock);
  });

  it('gives back what it was given, until its time is over', async () => {
    const codes = adapterOf('AuthorizationCode');
    await codes.upsert('the-code', { accountId: 'alice', grantId: 'g', jti: 'the-code' }, 60);
    expect(await codes.find('the-code')).toEqual({ accountId: 'alice', grantId: 'g', jti: 'the-code' });
    clock.advanceSeconds(61);
    expect(await codes.find('the-code')).toBeUndefined();
  });

  it('keeps models apart', async () => {
    await adapterOf('AuthorizationCode').upsert('same', { grantId: 'g' }, 60);
    expect(await adapterOf('RefreshToken').find('same')).toBeUndefined();
  });

  it('lets one of many consume a code, and ends the grant for the others', async () => {
    const codes = adapterOf('AuthorizationCode');
    await adapterOf('Grant').upsert('g', { accountId: 'alice' }, 60);
    await codes.upsert('the-code', { grantId: 'g' }, 60);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => codes.consume('the-code')));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(errors.InvalidGrant);
    }
    expect(await adapterOf('Grant').find('g')).toBeUndefined();
    expect(await liveRevocations(records)).toEqual([expect.objectContaining({ kind: 'grant', id: 'g' })]);
  });

  it('hides that a refresh token was used during its grace, a bounded number of times', async () => {
    const tokens = adapterOf('RefreshToken');
    await tokens.upsert('token', { grantId: 'g' }, 3600);
    for (let use = 0; use < 6; use++) {
      expect(await tokens.find('token')).not.toHaveProperty('consumed');
      await tokens.consume('token');
    }
    expect(await tokens.find('token')).toHaveProperty('consumed');
    await expect(tokens.consume('token')).rejects.toBeInstanceOf(errors.InvalidGrant);
  });

  it('shows it afterwards', async () => {
    const tokens = adapterOf('RefreshToken');
    await tokens.upsert('token', { grantId: 'g' }, 3600);
    await tokens.consume('token');
    clock.advanceSeconds(refreshGraceSeconds);
    expect(await tokens.find('token')).toHaveProperty('consumed');
  });

  it('a code has no grace', async () => {
    const codes = adapterOf('AuthorizationCode');
    await codes.upsert('the-code', { grantId: 'g' }, 60);
    await codes.consume('the-code');
    expect(await codes.find('the-code')).toHaveProperty('consumed');
  });

  it('ends a grant with all that was issued under it, and tells everybody', async () => {
    await adapterOf('Grant').upsert('g', { accountId: 'alice' }, 60);
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken']) {
      await adapterOf(model).upsert('mine', { grantId: 'g' }, 60);
      await adapterOf(model).upsert('other', { grantId: 'h' }, 60);
    }
    await adapterOf('Grant').destroy('g');
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken']) {
      expect(await adapterOf(model).find('mine')).toBeUndefined();
      expect(await adapterOf(model).find('other')).toBeDefined();
    }
    expect(records.outbox.map(({ type }) => type)).toEqual(['behalf.revocation.created']);
  });

  it('finds a session by its uid', async () => {
    const sessions = adapterOf('Session');
    await sessions.upsert('cookie', { uid: 'u', accountId: 'alice' }, 60);
    expect(await sessions.findByUid('u')).toMatchObject({ accountId: 'alice' });
    expect(await sessions.findByUid('v')).toBeUndefined();
  });
});
