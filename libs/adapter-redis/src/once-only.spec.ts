import { randomUUID } from 'node:crypto';
import { FaultyProxy, type LocalServer, startRedis } from '@behalf/local-servers';
import { systemClock } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { Redis } from 'ioredis';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Call, type Fault, findAnomalies } from './one-time-history.fixture.js';
import { type OpenedRedis, RedisOneTimeStore, openRedis } from './index.js';
import { memoryParts, partOf } from './redis-keys.js';

/** A secret that was handed out, with every call about it. */
interface Item {
  key: string;
  issuedAtMs: number;
  calls: Call[];
}
const purpose = 'once';
const keptItems = 400;
/** A new memory begins at the next full second of the server. */
const memoryRoundingMs = 1_000;

/**
 * Callers of two replicas of a service hand out items and use them, again and again, also those that were used long
 * ago, while Redis is treated badly. Every call is recorded as its caller saw it.
 */
class History {
  readonly items: Item[] = [];
  readonly #faults: Fault[] = [];
  #successes = 0;
  #running = true;
  #callers: Promise<void>[] = [];
  #waiting: { at: number; resolve: () => void }[] = [];

  constructor(private readonly stores: RedisOneTimeStore[]) {}

  begin(callers: number): void {
    this.#callers = Array.from({ length: callers }, (_, n) =>
      this.#call(this.stores[n % this.stores.length]!),
    );
  }

  /** Resolves after so many more uses that succeeded. */
  async progress(successes: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ at: this.#successes + successes, resolve });
    });
  }

  /** Does something to Redis that may make it forget: until it is used again, whatever was made before may be gone. */
  async fault(work: () => Promise<unknown>): Promise<void> {
    const fault: Fault = { invokedAt: performance.now() };
    this.#faults.push(fault);
    await work();
    await this.#touchEveryPart();
    await setTimeout(memoryRoundingMs);
    await this.progress(100);
    fault.returnedAt = performance.now();
  }

  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
  }

  /** Each part notices when it is used next that Redis has forgotten. */
  async #touchEveryPart(): Promise<void> {
    const untouched = new Set(Array.from({ length: memoryParts }, (_, part) => part));
    while (this.#running && untouched.size > 0) {
      const key = randomUUID();
      if (!untouched.has(partOf(purpose, key))) continue;
      const touched = await this.stores[0]!.take(purpose, key).then(
        () => true,
        () => setImmediate(false),
      );
      if (touched) untouched.delete(partOf(purpose, key));
    }
  }

  anomalies(): string[] {
    return this.items.flatMap(({ key, calls }) =>
      findAnomalies(calls, this.#faults).map((anomaly) => `${key}: ${anomaly}`),
    );
  }

  async #call(store: RedisOneTimeStore): Promise<void> {
    while (this.#running) {
      // A refusal can come at once, and would leave no turn to anything else.
      await setImmediate();
      const item = Math.random() < 0.3 ? await this.#issue(store) : this.#any();
      if (!item) continue;
      await Promise.all([
        this.#record(item, 'take', async () => (await store.take(purpose, item.key)) !== undefined),
        this.#record(item, 'claim', () =>
          store.claim(purpose, item.key, { ttlSeconds: 600, issuedAtMs: item.issuedAtMs }),
        ),
      ]);
    }
  }

  async #issue(store: RedisOneTimeStore): Promise<Item | undefined> {
    const item: Item = { key: randomUUID(), issuedAtMs: Date.now(), calls: [] };
    const put = async () => (await store.put(purpose, item.key, 'value', 600), true);
    if ((await this.#record(item, 'put', put)) !== 'done') return undefined;
    this.items.push(item);
    return item;
  }

  #any(): Item | undefined {
    return this.items.at(-Math.ceil(Math.random() * Math.min(keptItems, this.items.length)));
  }

  async #record(item: Item, verb: Call['verb'], work: () => Promise<boolean>): Promise<Call['outcome']> {
    const call: Call = { verb, invokedAt: performance.now(), outcome: 'unknown' };
    item.calls.push(call);
    try {
      call.outcome = (await work()) ? 'done' : 'not';
      call.returnedAt = performance.now();
    } catch {
      return 'unknown';
    }
    if (verb !== 'put' && call.outcome === 'done') this.#succeed();
    return call.outcome;
  }

  #succeed(): void {
    this.#successes++;
    for (const waiting of this.#waiting.filter(({ at }) => at <= this.#successes)) waiting.resolve();
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#successes);
  }
}

describeWith('redis-server')('one-time state', () => {
  let servers: LocalServer[] = [];
  let proxy: FaultyProxy;
  let opened: OpenedRedis[];
  let history: History;
  beforeEach(async () => {
    servers = [await startRedis()];
    proxy = await FaultyProxy.open(servers[0]!.port);
    opened = await Promise.all(
      [1, 2].map((n) =>
        openRedis(proxy.via(servers[0]!.url), { name: `replica-${n}`, commandTimeoutMs: 400 }),
      ),
    );
    const stores = opened.map((redis) => new RedisOneTimeStore(redis, systemClock));
    await stores[0]!.begin();
    history = new History(stores);
    history.begin(8);
    await history.progress(100);
  });
  afterEach(async () => {
    await history.end();
    for (const redis of opened) await redis.close();
    await proxy.close();
    for (const server of servers) await server.close();
  });

  const expectOnceOnly = (): void => {
    expect(history.anomalies()).toEqual([]);
  };

  it('is used once when Redis is killed and comes back with what it had written down', async () => {
    for (let n = 0; n < 2; n++) {
      await history.fault(async () => {
        await servers[0]!.process.kill();
        await servers[0]!.process.start();
      });
    }
    await history.end();
    expectOnceOnly();
  });

  it('is used once when Redis comes back empty, or is emptied', async () => {
    await history.fault(() => servers[0]!.restartEmpty());
    const direct = new Redis(servers[0]!.url);
    await history.fault(() => direct.flushall());
    direct.disconnect();
    await history.end();
    expectOnceOnly();
  });

  it('is used once when a replica takes over that has missed what was done last', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${servers[0]!.port}`] });
    servers.push(replica);
    const direct = new Redis(replica.url);
    const isInSync = async (): Promise<boolean> =>
      /master_link_status:up/.test(await direct.info('replication'));
    while (!(await isInSync())) await history.progress(10);
    await history.progress(100);
    // From now on it hears nothing more, and then becomes the master with what it knows.
    await direct.replicaof('NO', 'ONE');
    await history.progress(100);
    await history.fault(async () => proxy.leadTo(replica.port));
    direct.disconnect();
    await history.end();
    expectOnceOnly();
  });

  it('is used once when connections are reset and answers come late', async () => {
    for (let n = 0; n < 5; n++) {
      proxy.reset();
      await history.progress(20);
    }
    proxy.delayMs = 50;
    await history.progress(50);
    await history.end();
    expectOnceOnly();
  });
});
