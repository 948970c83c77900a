import { FakeClock } from '@behalf/testing';
import { VerifiedTokens } from './verified-tokens.js';

describe('VerifiedTokens', () => {
  let clock: FakeClock;
  let verified: number;
  let tokens: VerifiedTokens<{ exp: number; token: string }>;
  const verify = async (token: string) => {
    verified += 1;
    if (token === 'forged') throw new Error('forged');
    return { exp: Math.floor(clock.nowMs() / 1000) + 60, token };
  };
  beforeEach(() => {
    clock = new FakeClock();
    verified = 0;
    tokens = new VerifiedTokens(clock, { maxEntries: 2 });
  });

  it('verifies a token once until it expires', async () => {
    expect(await tokens.verify('a', verify)).toEqual(await tokens.verify('a', verify));
    expect(verified).toBe(1);
    clock.advanceSeconds(60);
    await tokens.verify('a', verify);
    expect(verified).toBe(2);
  });

  it('takes no token for another', async () => {
    expect((await tokens.verify('a', verify)).token).toBe('a');
    expect((await tokens.verify('b', verify)).token).toBe('b');
  });

  it('does not keep a failure, and keeps no more than it may', async () => {
    await expect(tokens.verify('forged', verify)).rejects.toThrow();
    await expect(tokens.verify('forged', verify)).rejects.toThrow();
    expect(verified).toBe(2);
    for (const token of ['a', 'b', 'c', 'a']) await tokens.verify(token, verify);
    expect(verified).toBe(6);
  });

  it('forgets everything when keys are no longer believed', async () => {
    await tokens.verify('a', verify);
    tokens.clear();
    await tokens.verify('a', verify);
    expect(verified).toBe(2);
  });
});
