import type { Evaluation } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { exchangeFixture, gatewayClient, now, parameters } from './exchange.fixture.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { exchangeToken } from './exchange-token.js';
import { mintToken } from './mint-token.js';
import type {
  ExchangeCache,
  ExchangeDependencies,
  ExchangeOutcome,
  ExchangeRequest,
  MintedToken,
} from './ports.js';

const request: ExchangeRequest = { client: gatewayClient, parameters, nowSeconds: now, traceId: 'trace-1' };

function withCache(through: ExchangeCache['through']) {
  const fixture = exchangeFixture();
  fixture.dependencies.cache = { through };
  return {
    ...fixture,
    exchange: (changes: Partial<ExchangeRequest> = {}) =>
      exchangeToken({ ...request, ...changes }, fixture.dependencies),
  };
}

async function mintedBefore(): Promise<MintedToken> {
  const outcome = await mintToken(request, exchangeFixture().dependencies);
  if (outcome instanceof ExchangeRefusal) throw outcome;
  return { ...outcome, token: 'kept' };
}

describe('an exchange that is answered with what another one came to', () => {
  it('RFC 8693 §2.2.1: tells the time that is left, and is recorded anew as what it is', async () => {
    const kept = await mintedBefore();
    const system = withCache(async () => ({ outcome: kept, source: 'process' }));
    expect(await system.exchange({ nowSeconds: now + 100, traceId: 'trace-2' })).toEqual({
      access_token: 'kept',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 200,
      scope: 'mcp:tools files:write',
    });
    expect(system.recorded).toMatchObject([
      {
        type: 'exchange',
        outcome: 'allowed',
        person: 'alice',
        occurredAtMs: (now + 100) * 1000,
        traceId: 'trace-2',
        details: { cached: 'process', profile: 'delegation' },
      },
    ]);
  });

  it('is asked about again: what has ended since is not given out', async () => {
    const kept = await mintedBefore();
    const good: boolean[] = [];
    const system = withCache(async (_request, mint, isStillGood) => {
      good.push(await isStillGood(kept));
      return { outcome: await mint(), source: 'minted' };
    });
    system.dependencies.checkNotRevoked = async () => {};
    await system.exchange({ nowSeconds: now + 299 });
    await system.exchange({ nowSeconds: now + 300 });
    system.dependencies.checkNotRevoked = async () => {
      throw new OAuthError('invalid_token', 'revoked');
    };
    await system.exchange();
    expect(good).toEqual([true, false, false]);
  });

  it('is minted through the cache, and recorded without a mark where it was minted for this request', async () => {
    const keys: ExchangeRequest[] = [];
    const system = withCache(async (asked, mint) => {
      keys.push(asked);
      return { outcome: await mint(), source: 'minted' };
    });
    expect((await system.exchange()).access_token).toContain('"sub":"alice"');
    expect(keys).toEqual([request]);
    expect(system.recorded).toMatchObject([{ outcome: 'allowed', traceId: 'trace-1' }]);
    expect(system.recorded[0]?.details).not.toHaveProperty('cached');
  });

  it('is refused like the one it waited for, recorded as coalesced', async () => {
    const refusal = await mintToken(
      { ...request, parameters: { ...parameters, scope: 'admin' } },
      exchangeFixture().dependencies,
    );
    const system = withCache(async () => ({ outcome: refusal, source: 'coalesced' }));
    await expect(system.exchange()).rejects.toMatchObject({ code: 'invalid_scope' });
    expect(system.recorded).toMatchObject([
      {
        outcome: 'refused',
        person: 'alice',
        details: { reason: 'scope_beyond_authority', cached: 'coalesced' },
      },
    ]);
  });

  it('is refused, and recorded, where it cannot be known whether what is kept is still good', async () => {
    const system = withCache(async () => {
      throw new ExchangeRefusal({ kind: 'verification_unavailable', cause: new Error('down') });
    });
    await expect(system.exchange()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    expect(system.recorded).toMatchObject([
      { outcome: 'refused', client: 'gateway', details: { reason: 'verification_unavailable' } },
    ]);
    expect(system.recorded[0]?.details).not.toHaveProperty('cached');
  });

  it('lets a fault of the cache, and of ours, through as what it is', async () => {
    const fault = new TypeError('broken');
    await expect(withCache(async () => Promise.reject(fault)).exchange()).rejects.toBe(fault);
    const plain = exchangeFixture();
    plain.dependencies.signer = { sign: async () => Promise.reject(fault) };
    await expect(plain.exchange()).rejects.toBe(fault);
    expect(plain.recorded).toEqual([]);
  });
});

it('refuses for its own reason where that cannot be recorded', async () => {
  const fixture = exchangeFixture();
  fixture.dependencies.audit.append = async () => Promise.reject(new Error('disk full'));
  await expect(fixture.exchange({ scope: 'admin' })).rejects.toMatchObject({ code: 'invalid_scope' });
});

it('is recorded as nothing that was kept, where the record of the token failed and that of the refusal did not', async () => {
  const fixture = exchangeFixture();
  const { append } = fixture.dependencies.audit;
  fixture.dependencies.audit.append = async () => {
    fixture.dependencies.audit.append = append;
    throw new Error('disk full');
  };
  await expect(fixture.exchange()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  expect(fixture.recorded).toMatchObject([{ outcome: 'refused', details: { reason: 'not_recordable' } }]);
  expect(fixture.recorded[0]?.details).not.toHaveProperty('cached');
});

it('waits for nothing where the decision was recorded before it was answered', async () => {
  const { dependencies } = exchangeFixture();
  dependencies.decideAhead = (evaluation) => dependencies.decide(evaluation);
  expect(await exchangeToken(request, dependencies)).toMatchObject({ token_type: 'Bearer' });
});

describe('an exchange that policy has permitted before the decision is recorded', () => {
  function system(changes: Partial<ExchangeDependencies> = {}) {
    const fixture = exchangeFixture();
    const decision = Promise.withResolvers<void>();
    const kept: ExchangeOutcome[] = [];
    let isAnswered = false;
    Object.assign(fixture.dependencies, changes, {
      decideAhead: async (evaluation: Evaluation) => ({
        ...(await fixture.dependencies.decide(evaluation)),
        recorded: decision.promise,
      }),
      cache: {
        through: async (_request: ExchangeRequest, mint: () => Promise<ExchangeOutcome>) => {
          kept.push(await mint());
          return { outcome: kept[0], source: 'minted' };
        },
      },
    });
    const answer = exchangeToken(request, fixture.dependencies).finally(() => (isAnswered = true));
    answer.catch(() => {});
    return { ...fixture, decision, kept, answer, isAnswered: () => isAnswered };
  }

  it('is recorded meanwhile, and neither answered nor kept before the decision is', async () => {
    const { recorded, decision, kept, answer, isAnswered } = system();
    await new Promise(setImmediate);
    expect(recorded).toMatchObject([{ type: 'exchange', outcome: 'allowed' }]);
    expect([isAnswered(), kept]).toEqual([false, []]);
    decision.resolve();
    expect(await answer).toMatchObject({ token_type: 'Bearer' });
    expect(kept).toMatchObject([{ token: expect.any(String) }]);
    expect(recorded).toHaveLength(1);
  });

  it('is refused, and recorded as that, where the decision cannot be recorded', async () => {
    const { recorded, decision, kept, answer } = system();
    decision.reject(new Error('disk full'));
    await expect(answer).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    expect(kept).toMatchObject([{ reason: { kind: 'not_recordable' } }]);
    expect(recorded.at(-1)).toMatchObject({ outcome: 'refused', details: { reason: 'not_recordable' } });
  });

  it('is refused for its own reason, and not before the decision is recorded, where it fails after it', async () => {
    const { decision, isAnswered, answer } = system({
      signer: { sign: async () => Promise.reject(new ExchangeRefusal({ kind: 'no_scope_left' })) },
    });
    await new Promise(setImmediate);
    expect(isAnswered()).toBe(false);
    decision.resolve();
    await expect(answer).rejects.toMatchObject({ code: 'invalid_scope' });
  });
});
