import { startMetrics } from '@behalf/telemetry';
import { freePort } from '@behalf/testing';
import { tokenTypes } from '@behalf/oauth';
import { exchangeSystem } from './exchange-system.fixture.js';

describe('what the cache tells of itself', () => {
  let measuring: Awaited<ReturnType<typeof startMetrics>>;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/metrics`;
    measuring = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
  });
  afterAll(() => measuring.stop());

  const read = async (metric: string): Promise<Record<string, number>> => {
    const text = await (await fetch(url)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(metric) && !line.startsWith('#'));
    return Object.fromEntries(
      lines.map((line) => [/(?:result|reason)="([^"]+)"/.exec(line)?.[1] ?? '', Number(line.split(' ')[1])]),
    );
  };

  it('is how each exchange was answered, how old what it gave out was, and what it dropped and why', async () => {
    const shared = new Map<string, string>();
    const store = {
      get: async (key: string) => shared.get(key),
      set: async (key: string, value: string) => void shared.set(key, value),
      delete: async (key: string) => void shared.delete(key),
    };
    const { exchange, cache, state, clock } = exchangeSystem(store);
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const together = [exchange(), exchange(), exchange()];
    gate.resolve();
    await Promise.all(together);
    clock.advanceSeconds(40);
    await exchange();
    // Another process, which has decided something by these policies.
    const other = exchangeSystem(store);
    await other.exchange({ scope: 'mcp:tools' });
    await other.exchange();
    await exchange({ requested_token_type: tokenTypes.transactionToken }).catch(() => undefined);
    expect(await read('behalf_exchange_cache_lookups_total')).toEqual({
      minted: 2,
      coalesced: 2,
      process: 1,
      shared: 1,
      bypassed: 1,
    });
    // The two that waited and the one from the other process got it new, one after 40 s.
    expect(await read('behalf_exchange_cache_age_sum')).toEqual({ '': 40 });
    expect(await read('behalf_exchange_cache_age_count')).toEqual({ '': 4 });

    await cache.dropRevoked({ kind: 'session', id: 'session' });
    await exchange();
    state.policy = 'v2';
    cache.policyChanged('v2');
    await exchange();
    state.revoked.add('session');
    await exchange().catch(() => undefined);
    expect(await read('behalf_exchange_cache_dropped_total')).toEqual({
      revocation: 1,
      policy: 1,
      no_longer_good: 1,
    });
  });

  it('counts who has waited for what was no longer good, and was minted for alone', async () => {
    const before = await read('behalf_exchange_cache_lookups_total');
    const { exchange, state } = exchangeSystem();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const together = [exchange(), exchange()];
    state.revoked.add('session');
    gate.resolve();
    await Promise.all(together);
    const after = await read('behalf_exchange_cache_lookups_total');
    expect(after).toEqual({ ...before, minted: before['minted']! + 2 });
  });
});
