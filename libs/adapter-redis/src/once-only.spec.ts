import { randomUUID } from 'node:crypto';
import { FaultyProxy, type LocalServer, startRedis } from '@behalf/local-servers';
import { systemClock } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { Redis } from 'ioredis';
import { setImmediate } from 'node:timers/promises';
import { type OpenedRedis, RedisOneTimeStore, openRedis } from './index.js';

/** A secret that was handed out, with everybody who wants to use it. */
interface Item {
  key: string;
  issuedAtMs: number;
  takes: number;
  claims: number;
}
const purpose = 'once';
const keptItems = 400;

/**
 * Callers of two replicas of a service hand out items and use them, again and again, also those that were used long
 * ago, while Redis is treated badly. A history in which an item is taken or claimed twice cannot be explained by any
 * order of its operations: for a test-and-set, that each succeeds at most once is all of linearizability.
 */
class History {
  readonly items: Item[] = [];
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

  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
  }

  async #call(store: RedisOneTimeStore): Promise<void> {
    while (this.#running) {
      // A refusal can come at once, and would leave no turn to anything else.
      await setImmediate();
      const item = Math.random() < 0.3 ? await this.#issue(store) : this.#any();
      if (!item) continue;
      await Promise.all([
        store.take(purpose, item.key).then(
          (value) => this.#count(item, 'takes', value !== undefined),
          () => {},
        ),
        store.claim(purpose, item.key, { ttlSeconds: 600, issuedAtMs: item.issuedAtMs }).then(
          (won) => this.#count(item, 'claims', won),
          () => {},
        ),
      ]);
    }
  }

  async #issue(store: RedisOneTimeStore): Promise<Item | undefined> {
    const item = { key: randomUUID(), issuedAtMs: Date.now(), takes: 0, claims: 0 };
    try {
      await store.put(purpose, item.key, 'value', 600);
      this.items.push(item);
      return item;
    } catch {
      return undefined;
    }
  }

  #any(): Item | undefined {
    return this.items.at(-Math.ceil(Math.random() * Math.min(keptItems, this.items.length)));
  }

  #count(item: Item, what: 'takes' | 'claims', succeeded: boolean): void {
    if (!succeeded) return;
    item[what]++;
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
    history = new History(opened.map((redis) => new RedisOneTimeStore(redis, systemClock)));
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
    const twice = history.items.filter(({ takes, claims }) => takes > 1 || claims > 1);
    expect(twice).toEqual([]);
  };

  it('is used once when Redis is killed and comes back with what it had written down', async () => {
    for (let n = 0; n < 2; n++) {
      await servers[0]!.process.kill();
      await servers[0]!.process.start();
      await history.progress(100);
    }
    await history.end();
    expectOnceOnly();
  });

  it('is used once when Redis comes back empty, or is emptied', async () => {
    await servers[0]!.restartEmpty();
    await history.progress(100);
    const direct = new Redis(servers[0]!.url);
    await direct.flushall();
    direct.disconnect();
    await history.progress(100);
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
    proxy.leadTo(replica.port);
    await history.progress(100);
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
