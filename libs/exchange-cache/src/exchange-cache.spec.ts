import { MemoryCache } from '@behalf/adapter-memory';
import { tokenTypes } from '@behalf/oauth';
import type { Cache } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import type { ExchangeParameters, ExchangeRequest } from '@behalf/token-exchange';
import { exchangeSystem, gateway, start, upstream } from './exchange-system.fixture.js';

const code = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'issued',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

describe('a kept exchange', () => {
  it('is given out again for the same request, with what is left of its life, and recorded as that', async () => {
    const { exchange, state, clock } = exchangeSystem();
    const first = await exchange();
    clock.advanceSeconds(100);
    const again = await exchange({}, { traceId: 'trace' });
    expect(again).toEqual({ ...first, expires_in: 200 });
    expect(state.minted).toBe(1);
    expect(state.records).toMatchObject([
      { outcome: 'allowed', person: 'alice', actors: ['gateway'], occurredAtMs: start * 1000 },
      {
        outcome: 'allowed',
        person: 'alice',
        actors: ['gateway'],
        occurredAtMs: (start + 100) * 1000,
        traceId: 'trace',
        details: { cached: 'process' },
      },
    ]);
  });

  it.each<[string, ExchangeParameters, Partial<ExchangeRequest>?]>([
    ['another subject token', { subject_token: 'other' }],
    ['another scope', { scope: 'mcp:tools' }],
    ['another target', { resource: 'https://other.example/mcp' }],
    ['a target by another name', { resource: undefined, audience: upstream }],
    ['an actor token', { actor_token: 'actor', actor_token_type: tokenTypes.accessToken }],
    ['a parameter that is not known here', { something_new: 'x' }],
    ['another client', {}, { client: { ...gateway, clientId: 'other' } }],
    [
      'a narrower ceiling',
      {},
      { client: { ...gateway, ceiling: { ...gateway.ceiling!, scopes: ['mcp:tools'] } } },
    ],
    ['a key', {}, { proof: { jkt: 'k' } }],
    ['a certificate', {}, { proof: { 'x5t#S256': 'k' } }],
  ])('is no answer to a request with %s', async (_title, changes, request = {}) => {
    const { exchange, state } = exchangeSystem();
    await exchange();
    const other = await exchange(changes, request);
    expect(state.minted).toBe(2);
    expect(await exchange(changes, request)).toEqual(other);
    expect(state.minted).toBe(2);
  });

  it('is no answer for an ID token, whose sign-in may be over', async () => {
    const { exchange, dependencies, state } = exchangeSystem();
    Object.assign(dependencies, { verifyIdToken: dependencies.verifyAccessToken });
    state.grant = 'g';
    const idToken = { subject_token_type: tokenTypes.idToken };
    state.subject = { client_id: 'gateway' };
    await exchange(idToken);
    await exchange(idToken);
    expect(state.minted).toBe(2);
  });

  it('is no answer to a resource that hands on no proof, or another one', async () => {
    const { exchange, state } = exchangeSystem();
    state.subject = { cnf: { jkt: 'editor' } };
    const proof = { jkt: 'k' };
    const relayedProof = { jkt: 'editor', url: 'https://gw.example' };
    await exchange({}, { proof, relayedProof });
    for (const other of [{}, { relayedProof: { ...relayedProof, jkt: 'thief' } }])
      await expect(exchange({}, { proof, ...other })).rejects.toMatchObject({ code: 'invalid_request' });
    await exchange({}, { proof, relayedProof });
    expect(state.minted).toBe(1);
  });

  it('is bound to the key it was made for, whoever else holds the token', async () => {
    const { exchange } = exchangeSystem();
    const mine = await exchange({}, { proof: { jkt: 'mine' } });
    const theirs = await exchange({}, { proof: { jkt: 'theirs' } });
    expect([mine.access_token, theirs.access_token]).toEqual([
      'token 1 of {"jkt":"mine"}',
      'token 2 of {"jkt":"theirs"}',
    ]);
  });

  it('is not given out in the last quarter of its life, nor after', async () => {
    const { exchange, state, clock } = exchangeSystem();
    await exchange();
    clock.advanceSeconds(224);
    await exchange();
    expect(state.minted).toBe(1);
    clock.advanceSeconds(1);
    expect((await exchange()).expires_in).toBe(300);
    expect(state.minted).toBe(2);
  });

  it('never outlives its subject token', async () => {
    const { exchange, state, clock } = exchangeSystem();
    state.subject = { exp: start + 40 };
    await exchange();
    clock.advanceSeconds(29);
    expect((await exchange()).expires_in).toBe(11);
    clock.advanceSeconds(11);
    expect(await code(exchange())).toBe('invalid_request');
  });

  it.each(['jti of subject', 'session', 'id-0'])('is not given out when %s was revoked', async (revoked) => {
    const { exchange, state } = exchangeSystem();
    await exchange();
    state.revoked.add(revoked);
    if (revoked === 'jti of subject') expect(await code(exchange())).toBe('invalid_request');
    else expect((await exchange()).access_token).toContain('token 2');
  });

  it('is not given out when the actor token was revoked', async () => {
    const { exchange, state } = exchangeSystem();
    const parameters = { actor_token: 'actor', actor_token_type: tokenTypes.accessToken };
    await exchange(parameters);
    state.revoked.add('jti of actor');
    expect(await code(exchange(parameters))).toBe('invalid_request');
  });

  it('is not given out when it cannot be known whether it was revoked', async () => {
    const { exchange, dependencies, state } = exchangeSystem();
    await exchange();
    dependencies.checkNotRevoked = async () => Promise.reject(new Error('down'));
    expect(await code(exchange())).toBe('temporarily_unavailable');
    expect(state.records.at(-1)).toMatchObject({
      outcome: 'refused',
      details: { reason: 'verification_unavailable' },
    });
  });

  it('is not given out when its delegation grant is gone, or another one', async () => {
    for (const grant of ['none', 'd-2']) {
      const { exchange, state } = exchangeSystem();
      state.grant = 'd-1';
      await exchange();
      await exchange();
      expect(state.minted).toBe(1);
      state.grant = grant;
      expect(await code(exchange())).toBe(grant === 'none' ? 'invalid_target' : 'issued');
      expect(state.minted).toBe(grant === 'none' ? 1 : 2);
    }
  });

  it('is not given out without a record', async () => {
    const { exchange, dependencies } = exchangeSystem();
    await exchange();
    dependencies.audit.append = async () => Promise.reject(new Error('disk full'));
    expect(await code(exchange())).toBe('temporarily_unavailable');
  });

  it('is dropped at once by a revocation that can touch it, and by no other', async () => {
    const shared = new Map<string, string>();
    const { exchange, cache, state } = exchangeSystem(mapCache(shared));
    await exchange();
    await cache.dropRevoked({ kind: 'token', id: 'session' });
    expect(shared.size).toBe(1);
    await exchange();
    expect(state.minted).toBe(1);
    for (const [kind, id] of [
      ['token', 'jti of subject'],
      ['session', 'session'],
      ['client', 'gateway'],
      ['client', 'editor'],
    ] as const) {
      await exchange();
      expect(shared.size).toBe(1);
      await cache.dropRevoked({ kind, id });
      expect(shared.size).toBe(0);
    }
  });

  it('is no answer for what is malformed, nor for transaction tokens', async () => {
    const { exchange, state } = exchangeSystem();
    for (const parameters of [
      { subject_token: undefined },
      { subject_token: ['subject', 'subject'] },
      { requested_token_type: tokenTypes.transactionToken },
    ]) {
      expect(await code(exchange(parameters))).toBe('invalid_request');
      expect(await code(exchange(parameters))).toBe('invalid_request');
    }
    expect(state.records).toHaveLength(6);
  });

  it('is not made of a refusal', async () => {
    const { exchange, state } = exchangeSystem();
    state.permitted = false;
    expect(await code(exchange())).toBe('invalid_target');
    state.permitted = true;
    expect(await code(exchange())).toBe('issued');
  });
});

describe('a change of policy', () => {
  it('ends what other policies permitted, here and in the shared store', async () => {
    const shared = new Map<string, string>();
    const { exchange, cache, state } = exchangeSystem(mapCache(shared));
    await exchange();
    cache.policyChanged('v2');
    state.policy = 'v2';
    state.permitted = false;
    expect(await code(exchange())).toBe('invalid_target');
    expect(shared.size).toBe(1);
  });

  it('that came while a token was being made keeps that token from being kept', async () => {
    const { exchange, cache, state } = exchangeSystem();
    await exchange();
    cache.policyChanged('v2');
    // Decided before, by a service that lags behind.
    await exchange();
    await exchange();
    expect(state.minted).toBe(3);
  });

  it('is learnt from a decision, too', async () => {
    const { exchange, state } = exchangeSystem();
    await exchange();
    state.policy = 'v2';
    await exchange({ scope: 'mcp:tools' });
    await exchange();
    expect(state.minted).toBe(3);
  });

  it('back to earlier policies is believed when it is announced', async () => {
    const { exchange, cache, state } = exchangeSystem();
    await exchange();
    cache.policyChanged('v2');
    cache.policyChanged('v1');
    await exchange();
    await exchange();
    expect(state.minted).toBe(2);
  });

  it('cannot be told without versions, so nothing is kept then', async () => {
    const { exchange, state } = exchangeSystem();
    state.policy = undefined;
    await exchange();
    await exchange();
    expect(state.minted).toBe(2);
  });
});

describe('the shared store', () => {
  it('answers in another process, which knows the policies by then, and shows nothing to who reads it', async () => {
    const shared = new Map<string, string>();
    const [one, other] = [exchangeSystem(mapCache(shared)), exchangeSystem(mapCache(shared))];
    const first = await one.exchange();
    other.cache.policyChanged('v1');
    expect(await other.exchange()).toEqual(first);
    expect(other.state.minted).toBe(0);
    expect(other.state.records).toMatchObject([{ details: { cached: 'shared' } }]);
    await other.exchange();
    expect(other.state.records).toMatchObject([{}, { details: { cached: 'process' } }]);
    const dump = JSON.stringify([...shared]);
    for (const secret of ['subject', 'alice', 'token 1', 'gateway']) {
      expect(dump).not.toContain(secret);
      expect(dump).not.toContain(Buffer.from(secret).toString('base64url'));
    }
  });

  it('is not believed by a process that does not know which policies are in force', async () => {
    const shared = new Map<string, string>();
    const [one, other] = [exchangeSystem(mapCache(shared)), exchangeSystem(mapCache(shared))];
    await one.exchange();
    other.state.permitted = false;
    expect(await code(other.exchange())).toBe('invalid_target');
  });

  it('is a miss when what is in it was changed, moved or put there by somebody else', async () => {
    const shared = new Map<string, string>();
    const [one, other] = [exchangeSystem(mapCache(shared)), exchangeSystem(mapCache(shared))];
    await one.exchange();
    await one.exchange({ scope: 'mcp:tools' });
    const [[first, sealed], [second]] = [...shared] as [[string, string], [string, string]];
    other.cache.policyChanged('v1');
    shared.set(second, sealed).set(first, `A${sealed.slice(1)}`);
    await other.exchange();
    await other.exchange({ scope: 'mcp:tools' });
    expect(other.state.minted).toBe(2);
  });

  it('may fail in everything', async () => {
    const fail = async (): Promise<never> => Promise.reject(new Error('down'));
    const { exchange, cache, state } = exchangeSystem({ get: fail, set: fail, delete: fail });
    await exchange();
    await exchange();
    expect(state.minted).toBe(1);
    await cache.dropRevoked({ kind: 'session', id: 'session' });
    await exchange();
    expect(state.minted).toBe(2);
  });

  it('fits the memory adapter', async () => {
    const clock = new FakeClock(start * 1000);
    const { exchange, state } = exchangeSystem(new MemoryCache<string>(clock, { maxEntries: 10 }));
    await exchange();
    await exchange();
    expect(state.minted).toBe(1);
  });
});

describe('equal exchanges at the same time', () => {
  it('mint once for 64 callers, each of whom is recorded', async () => {
    const { exchange, state } = exchangeSystem();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const answers = Array.from({ length: 64 }, () => exchange());
    gate.resolve();
    expect(new Set((await Promise.all(answers)).map((answer) => answer.access_token)).size).toBe(1);
    expect([state.minted, state.verified, state.records.length]).toEqual([1, 1, 64]);
    expect(state.records.filter((record) => JSON.stringify(record).includes('coalesced'))).toHaveLength(63);
  });

  it('fail once for all, and nobody tries again alone', async () => {
    const { exchange, state, dependencies } = exchangeSystem();
    let asked = 0;
    const gate = Promise.withResolvers<void>();
    dependencies.decide = async () => {
      asked += 1;
      await gate.promise;
      throw new Error('down');
    };
    const answers = Array.from({ length: 64 }, () => code(exchange()));
    gate.resolve();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['temporarily_unavailable']));
    expect([asked, state.records.length]).toEqual([1, 64]);
    expect(await code(exchange())).toBe('temporarily_unavailable');
    expect(asked).toBe(2);
  });

  it('fail for all by a fault of ours, too', async () => {
    const { exchange, dependencies } = exchangeSystem();
    dependencies.signer = { sign: async () => Promise.reject(new Error('no key')) };
    expect(await Promise.all([code(exchange()), code(exchange())])).toEqual(['no key', 'no key']);
  });

  it('are refused to who came after a revocation, even while the first one is answered', async () => {
    const { exchange, state } = exchangeSystem();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const [first, second] = [exchange(), exchange()];
    state.revoked.add('session');
    gate.resolve();
    expect((await first).access_token).toContain('token 1');
    expect((await second).access_token).toContain('token 2');
  });
});

function mapCache(map: Map<string, string>): Cache<string> {
  return {
    get: async (key) => map.get(key),
    set: async (key, value) => void map.set(key, value),
    delete: async (key) => void map.delete(key),
  };
}
