import { jest } from '@jest/globals';
import fc from 'fast-check';
import { delegationFixture, files, mail } from './delegation.fixture.js';
import { findGrant, type GrantQuestion } from './find-grant.js';
import { getGrant } from './get-grant.js';
import { grantUseRecords } from './grant-records.js';
import { listGrants } from './list-grants.js';
import { narrowGrant } from './narrow-grant.js';
import { GrantUses } from './note-use.js';
import { revokeGrant } from './revoke-grant.js';

let f: ReturnType<typeof delegationFixture>;
beforeEach(() => {
  f = delegationFixture();
});
const refused = (kind: string) => expect.objectContaining({ reason: { kind } });
const find = (changes: Partial<GrantQuestion> = {}) =>
  findGrant(
    f.records,
    { person: 'alice', agent: 'reporter', resource: files, requiredScopes: ['read'], ...changes },
    f.clock.nowMs(),
  );

describe('making a grant', () => {
  it('lets this agent act for this person here, until its end', async () => {
    const { id, expiresAtMs } = await f.make({ resource: 'https://FILES.example/mcp' });
    expect(await find()).toMatchObject({ id, resource: files, scopes: ['read'], madeBy: 'operator' });
    f.clock.advanceSeconds(3599);
    expect((await find())?.id).toBe(id);
    f.clock.advanceSeconds(1);
    expect(f.clock.nowMs()).toBe(expiresAtMs);
    expect(await find()).toBeUndefined();
    expect((await getGrant(f.records, id, f.clock.nowMs())).state).toBe('expired');
  });

  it.each([
    ['another person', { person: 'bob' }],
    ['another agent', { agent: 'other' }],
    ['another resource', { resource: mail }],
    ['another scope', { requiredScopes: ['write'] }],
    ['a scope more', { requiredScopes: ['read', 'write'] }],
    ['authorization details', { authorizationDetails: [{ type: 'payment' }] }],
    ['nothing it has', { requiredScopes: undefined, usefulScopes: ['write'] }],
  ])('gives nothing to %s', async (_who, question) => {
    await f.make();
    expect(await find(question)).toBeUndefined();
  });

  it.each([
    ['resource_unknown', { resource: 'https://elsewhere.example/mcp' }],
    ['scope_unknown', { scopes: ['read', 'admin'] }],
    ['scope_unknown', { scopes: ['Read'] }],
    ['scope_unknown', { scopes: [] }],
    ['agent_unknown', { agent: 'stranger' }],
  ])('is refused: %s', async (kind, changes) => {
    await expect(f.make(changes)).rejects.toEqual(refused(kind));
    expect(f.events()).toEqual([]);
    expect(f.audit).toMatchObject([{ outcome: 'refused', client: 'operator', details: { reason: kind } }]);
  });

  it('tells of it in one transaction with its audit record', async () => {
    f.dependencies.audit = async () => Promise.reject(new Error('disk full'));
    await expect(f.make()).rejects.toThrow('disk full');
    expect(await find()).toBeUndefined();
    expect(f.events()).toEqual([]);
  });

  it('renews what is the same, and makes another grant of what is not', async () => {
    const first = await f.make({ scopes: ['write', 'read'] });
    f.clock.advanceSeconds(10);
    const same = await f.make({ scopes: ['read', 'write', 'read'] });
    expect(same).toMatchObject({ id: first.id, version: 2, createdAtMs: first.createdAtMs });
    expect(same.expiresAtMs).toBe(first.expiresAtMs + 10_000);
    const other = await f.make({ scopes: ['read', 'write'], purpose: 'Something else' });
    expect(other.id).not.toBe(first.id);
    expect(f.events()).toEqual(['made', 'renewed', 'made']);
  });

  it('does not bring a revoked or expired grant back: its tokens stay dead', async () => {
    const revoked = await f.make();
    await revokeGrant(revoked, f.operator(), f.dependencies);
    const expired = await f.make();
    expect(expired.id).not.toBe(revoked.id);
    f.clock.advanceSeconds(3600);
    expect((await f.make()).id).not.toBe(expired.id);
  });
});

describe('how many grants', () => {
  it('of one kind there are is bounded, by those that are alive', async () => {
    const make = (purpose: number) => f.make({ purpose: String(purpose), lifetimeSeconds: 60 });
    for (let one = 0; one < 50; one++) await make(one);
    await expect(make(50)).rejects.toEqual(refused('too_many_grants'));
    // The same again is no further one, and at another resource it is another kind.
    await expect(make(0)).resolves.toMatchObject({ version: 2 });
    await expect(f.make({ resource: mail })).resolves.toBeDefined();
    f.clock.advanceSeconds(60);
    const { id } = await make(51);
    expect((await find())?.id).toBe(id);
    expect((await getGrant(f.records, 'id-2', f.clock.nowMs())).state).toBe('expired');
    for (let one = 100; one < 149; one++) await make(one);
    await expect(make(200)).rejects.toEqual(refused('too_many_grants'));
  });
});

describe('finding a grant', () => {
  it('never adds grants up', async () => {
    await f.make({ scopes: ['read'] });
    await f.make({ scopes: ['write'] });
    expect(await find({ requiredScopes: ['read', 'write'] })).toBeUndefined();
  });

  it('takes the one that gives most, then the one that lasts longest', async () => {
    await f.make({ scopes: ['read'], lifetimeSeconds: 7200 });
    const wide = await f.make({ scopes: ['read', 'write'], lifetimeSeconds: 60 });
    const later = await f.make({ scopes: ['read', 'write'], purpose: 'Later', lifetimeSeconds: 600 });
    const useful = { requiredScopes: undefined, usefulScopes: ['read', 'write', 'list'] };
    expect((await find(useful))?.id).toBe(later.id);
    await revokeGrant(later, f.operator(), f.dependencies);
    expect((await find(useful))?.id).toBe(wide.id);
  });

  it('covers authorization details by type and sets', async () => {
    const granted = { type: 'files', actions: ['read', 'list'], locations: ['https://a'] };
    await f.make({ authorizationDetails: [granted] });
    const ask = (detail: object) => find({ authorizationDetails: [{ ...granted, ...detail }] });
    expect(await ask({ actions: ['list'] })).toBeDefined();
    expect(await ask({ actions: ['write'] })).toBeUndefined();
    expect(await ask({ type: 'mail' })).toBeUndefined();
    expect(await ask({ locations: ['https://a', 'https://b'] })).toBeUndefined();
  });

  it('finds only what one grant as a whole allows (property)', async () => {
    const scope = fc.subarray(['read', 'write', 'list'], { minLength: 1 });
    const run = async (granted: string[][], asked: string[]) => {
      const fresh = delegationFixture();
      for (const scopes of granted) await fresh.make({ scopes });
      const question = { person: 'alice', agent: 'reporter', resource: files, requiredScopes: asked };
      const found = await findGrant(fresh.records, question, fresh.clock.nowMs());
      const isAllowed = granted.some((scopes) => asked.every((one) => scopes.includes(one)));
      expect(found !== undefined).toBe(isAllowed);
      expect(asked.every((one) => found?.scopes.includes(one) ?? true)).toBe(true);
    };
    await fc.assert(fc.asyncProperty(fc.array(scope, { maxLength: 4 }), scope, run), { numRuns: 60 });
  });
});

describe('narrowing a grant', () => {
  it('leaves less, and ends the tokens of before', async () => {
    const grant = await f.make({ scopes: ['read', 'write'] });
    f.clock.advanceSeconds(5);
    const target = { id: grant.id, expectedVersion: 1 };
    const narrowed = await narrowGrant(target, { scopes: ['read'] }, f.operator(), f.dependencies);
    expect(narrowed).toMatchObject({ id: grant.id, version: 2, scopes: ['read'] });
    expect(await find({ requiredScopes: ['write'] })).toBeUndefined();
    const nowMs = f.clock.nowMs();
    expect(f.revoked).toEqual([{ id: grant.id, revokedAtMs: nowMs, issuedUntilMs: nowMs }]);
    expect(f.events()).toEqual(['made', 'narrowed']);
  });

  it.each([
    ['another scope', { scopes: ['write'] }],
    ['a scope more', { scopes: ['read', 'write'] }],
    ['details', { authorizationDetails: [{ type: 'payment' }] }],
    ['a later end', { expiresAtMs: Number.MAX_SAFE_INTEGER }],
  ])('does not give it %s', async (_what, changes) => {
    const grant = await f.make();
    await expect(narrowGrant(grant, changes, f.operator(), f.dependencies)).rejects.toEqual(
      refused('not_narrower'),
    );
    expect(f.revoked).toEqual([]);
  });

  it('is for grants that are alive, in the version that was read', async () => {
    const grant = await f.make();
    const narrow = (target = { id: grant.id, expectedVersion: 1 }, expiresAtMs = f.clock.nowMs() + 1) =>
      narrowGrant(target, { expiresAtMs }, f.operator(), f.dependencies);
    await expect(narrow({ id: grant.id, expectedVersion: 2 })).rejects.toEqual(refused('version_conflict'));
    await expect(narrow({ id: 'made-up', expectedVersion: 1 })).rejects.toEqual(refused('grant_unknown'));
    await expect(narrow(undefined, f.clock.nowMs())).rejects.toEqual(refused('lifetime_over'));
    await revokeGrant({ id: grant.id }, f.operator(), f.dependencies);
    await expect(narrow({ id: grant.id, expectedVersion: 2 })).rejects.toEqual(refused('grant_over'));
  });
});

describe('revoking a grant', () => {
  it('ends it and all of its tokens, once', async () => {
    const grant = await f.make();
    const revoked = await revokeGrant(grant, f.alice(), f.dependencies);
    expect(revoked).toMatchObject({ state: 'revoked', endedBy: 'alice' });
    expect(await revokeGrant(grant, f.alice(), f.dependencies)).toMatchObject({ version: 2 });
    expect(await find()).toBeUndefined();
    expect(f.revoked).toEqual([{ id: grant.id, revokedAtMs: f.clock.nowMs() }]);
    expect(f.events()).toEqual(['made', 'revoked']);
  });

  it("another person's does not exist for a person", async () => {
    const grant = await f.make();
    const bob = { by: { person: 'bob' }, nowMs: f.clock.nowMs() };
    await expect(revokeGrant(grant, bob, f.dependencies)).rejects.toEqual(refused('grant_unknown'));
    expect(await find()).toBeDefined();
    expect(f.audit.at(-1)).toMatchObject({ outcome: 'refused', person: 'bob' });
  });

  it('reaches the last tokens of a grant that expired a moment ago', async () => {
    const grant = await f.make();
    f.clock.advanceSeconds(3601);
    expect((await revokeGrant(grant, f.alice(), f.dependencies)).state).toBe('revoked');
    expect(f.revoked).toHaveLength(1);
  });

  it('loses no revocation to a change at the same time', async () => {
    const grant = await f.make({ scopes: ['read', 'write'] });
    const [, revoked] = await Promise.allSettled([
      narrowGrant({ id: grant.id }, { scopes: ['read'] }, f.operator(), f.dependencies),
      revokeGrant({ id: grant.id }, f.operator(), f.dependencies),
    ]);
    expect(revoked.status).toBe('fulfilled');
    expect((await getGrant(f.records, grant.id, f.clock.nowMs())).state).toBe('revoked');
  });
});

describe('looking at grants', () => {
  it('lists those of a person, page by page, with their last use', async () => {
    for (const scopes of [['read'], ['write'], ['list']]) await f.make({ scopes });
    await f.make({ person: 'bob' });
    await new GrantUses(f.records).note('id-1', f.clock.nowMs());
    const list = (after?: string) =>
      listGrants(f.records, { person: 'alice', after, limit: 2 }, f.clock.nowMs());
    const first = await list();
    expect(first).toMatchObject({ grants: [{ id: 'id-1', lastUsedAtMs: f.clock.nowMs() }, { id: 'id-2' }] });
    expect(first.grants[1]).not.toHaveProperty('lastUsedAtMs');
    const second = await list(first.next);
    expect(second.grants.map(({ id }) => id)).toEqual(['id-3']);
    expect(second.next).toBeUndefined();
  });

  it('notes a use at most once a minute, in all processes together', async () => {
    const transaction = jest.spyOn(f.records, 'transaction');
    const [one, other] = [new GrantUses(f.records), new GrantUses(f.records)];
    const start = f.clock.nowMs();
    for (let second = 0; second < 59; second++) {
      await one.note('id-1', f.clock.nowMs());
      f.clock.advanceSeconds(1);
    }
    expect(transaction).toHaveBeenCalledTimes(1);
    await other.note('id-1', f.clock.nowMs());
    const used = () => f.records.get(grantUseRecords, 'id-1');
    expect(await used()).toMatchObject({ version: 1, value: { lastUsedAtMs: start } });
    f.clock.advanceSeconds(61);
    await one.note('id-1', f.clock.nowMs());
    expect(await used()).toMatchObject({ version: 2, value: { lastUsedAtMs: f.clock.nowMs() } });
  });
});
