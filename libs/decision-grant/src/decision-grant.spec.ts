import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import { FakeClock, type TestKeys, testKeys } from '@behalf/testing';
import { createLocalJWKSet } from 'jose';
import { randomUUID } from 'node:crypto';
import { decisionGrantType, issueDecisionGrant, verifyDecisionGrant } from './index.js';

describe('decision grant', () => {
  const use = {
    person: 'alice',
    actors: [{ sub: 'agent' }, { sub: 'gateway' }],
    clientId: 'agent',
    tenant: 'default',
    resource: 'https://api.acme.example',
    scopes: ['read'],
    decisionId: 'd1',
  };
  let keys: TestKeys;
  let clock: FakeClock;
  let oneTime: MemoryOneTimeStore;
  beforeAll(async () => {
    keys = await testKeys();
  });
  beforeEach(() => {
    clock = new FakeClock();
    oneTime = new MemoryOneTimeStore(clock);
  });

  const issue = (lifetimeSeconds = 10): Promise<string> =>
    issueDecisionGrant(use, {
      signer: keys,
      issuer: 'https://policy.example',
      audience: 'https://vault.example',
      nowSeconds: clock.nowMs() / 1000,
      lifetimeSeconds,
      newId: randomUUID,
    });
  const verify = (token: string, signedBy = keys, audience = 'https://vault.example') =>
    verifyDecisionGrant(token, {
      issuer: 'https://policy.example',
      audience,
      keys: createLocalJWKSet(signedBy.publicJwks()),
      oneTime,
      nowMs: clock.nowMs(),
    });
  const reasonOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: { reason?: string }) => error.reason ?? 'another error',
    );

  it('says what was permitted, with the chain as it was', async () => {
    expect(await verify(await issue())).toMatchObject({
      sub: 'alice',
      act: { sub: 'agent', act: { sub: 'gateway' } },
      resource: use.resource,
      scope: 'read',
      decision_id: 'd1',
    });
  });

  it('is good for one of 50 who come with it at once', async () => {
    const grant = await issue();
    const answers = await Promise.all(Array.from({ length: 50 }, () => reasonOf(verify(grant))));
    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'used')).toHaveLength(49);
  });

  it('is over after seconds, however long its signer meant it to live', async () => {
    const [short, long] = [await issue(1), await issue(3_600)];
    clock.advanceSeconds(7);
    expect(await reasonOf(verify(short))).toBe('invalid');
    clock.advanceSeconds(60);
    expect(await reasonOf(verify(long))).toBe('invalid');
  });

  it('is refused from the future, from another signer, and for another vault', async () => {
    const grant = await issue();
    expect(await reasonOf(verify(grant, await testKeys()))).toBe('invalid');
    expect(await reasonOf(verify(grant, keys, 'https://other.example'))).toBe('invalid');
    clock.advanceSeconds(-60);
    expect(await reasonOf(verify(grant))).toBe('invalid');
  });

  it('is no other thing that the same key signed', async () => {
    const claims = { ...(await verify(await issue())), jti: randomUUID() };
    expect(await reasonOf(verify(await keys.sign(claims, { typ: 'at+jwt' })))).toBe('invalid');
    const longLived = { ...claims, exp: claims.iat + 3_600 };
    expect(await reasonOf(verify(await keys.sign(longLived, { typ: decisionGrantType })))).toBe('invalid');
    expect(await reasonOf(verify(await keys.sign({ ...claims, more: 1 }, { typ: decisionGrantType })))).toBe(
      'invalid',
    );
    expect(await reasonOf(verify('nonsense'))).toBe('invalid');
  });
});
