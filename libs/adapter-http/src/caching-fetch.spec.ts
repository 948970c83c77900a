import { FakeClock } from '@behalf/testing';
import { createCachingFetch, type GuardedFetch, GuardedFetchError } from './index.js';

describe('createCachingFetch', () => {
  const url = 'https://a.test/doc';
  let clock: FakeClock;
  let fetches: number;
  let headers: Record<string, string>;
  let body: string;
  let failing: boolean;
  beforeEach(() => {
    clock = new FakeClock();
    fetches = 0;
    headers = { 'cache-control': 'max-age=60' };
    body = 'good';
    failing = false;
  });

  const fetch: GuardedFetch = async (asked) => {
    fetches++;
    await Promise.resolve();
    if (failing) throw new GuardedFetchError('status', asked);
    return { status: 200, headers, body: Buffer.from(body) };
  };
  const caching = (options = {}): GuardedFetch =>
    createCachingFetch(fetch, clock, { maxEntries: 2, maxAgeSeconds: 3600, ...options });

  it('keeps a document for as long as its headers say', async () => {
    const cached = caching();
    await cached(url);
    clock.advanceSeconds(59);
    await cached(url);
    expect(fetches).toBe(1);
    clock.advanceSeconds(1);
    await cached(url);
    expect(fetches).toBe(2);
  });

  it.each([
    { 'cache-control': 'no-store' },
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'private, max-age=60' },
    { 'cache-control': 'max-age=60', vary: '*' },
    { 'cache-control': 'max-age=0, stale-while-revalidate=60, stale-if-error=60' },
    { 'cache-control': 'max-age=60', age: '60' },
    {},
  ] as Record<string, string>[])('does not keep what must not be kept: %j', async (given) => {
    headers = given;
    const cached = caching();
    await cached(url);
    await cached(url);
    expect(fetches).toBe(2);
  });

  it('keeps nothing longer than it may', async () => {
    headers = { 'cache-control': 'max-age=31536000' };
    const cached = caching({ maxAgeSeconds: 10 });
    await cached(url);
    clock.advanceSeconds(10);
    await cached(url);
    expect(fetches).toBe(2);
  });

  it('never keeps an error', async () => {
    failing = true;
    const cached = caching();
    await expect(cached(url)).rejects.toMatchObject({ reason: 'status' });
    failing = false;
    await cached(url);
    expect(fetches).toBe(2);
  });

  it('never keeps what fails its check', async () => {
    const cached = caching({
      check: (response: { body: Uint8Array }) => {
        if (Buffer.from(response.body).toString() !== 'good') throw new RangeError();
      },
    });
    body = 'bad';
    await expect(cached(url)).rejects.toThrow(RangeError);
    body = 'good';
    await cached(url);
    await cached(url);
    expect(fetches).toBe(2);
  });

  it('fetches once for callers at the same time, though one of them gives up', async () => {
    const cached = caching();
    const caller = new AbortController();
    const impatient = cached(url, { signal: caller.signal });
    const others = Promise.all([cached(url), cached(url)]);
    caller.abort(new Error('changed my mind'));
    await expect(impatient).rejects.toThrow('changed my mind');
    await others;
    expect(fetches).toBe(1);
  });

  it('keeps no more documents than it may, and keeps them apart', async () => {
    const cached = caching();
    for (const name of ['a', 'b', 'c', 'a']) await cached(`https://a.test/${name}`);
    expect(fetches).toBe(4);
  });
});
