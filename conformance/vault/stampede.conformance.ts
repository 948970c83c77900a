import { SqlRecordStore, migrate, openPostgres } from '@behalf/adapter-postgres';
import { RedisOneTimeStore, openRedis } from '@behalf/adapter-redis';
import { defaultTenant, issueDecisionGrant } from '@behalf/decision-grant';
import { type LocalServer, startPostgres, startRedis } from '@behalf/local-servers';
import { systemClock } from '@behalf/ports';
import {
  type AnswerFate,
  type FakeProvider,
  type FakeProviderOptions,
  type TestKeys,
  describeWith,
  forkSource,
  startFakeProvider,
  testKeys,
} from '@behalf/testing';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  TestPolicy,
  acmeProvider,
  connect,
  openTestVault,
  resource,
} from '../../libs/vault/src/vault.fixture.js';
import type { DeathPoint, WorkerAnswer, WorkerSetup } from './vault-worker.js';

const callersEach = 250;
const folder = join(process.cwd(), 'conformance/vault');
const [issuer, audience] = ['https://policy.example', 'https://vault.example'];

/** The vault's promise, with what it stands on for real: four processes, PostgreSQL, Redis, and leaders that die. */
describeWith('postgres', 'redis-server')('1,000 callers on one expired connection', () => {
  let postgres: LocalServer;
  let redisServer: LocalServer;
  let redis: Awaited<ReturnType<typeof openRedis>>;
  let database: ReturnType<typeof openPostgres>;
  let records: SqlRecordStore;
  let keys: TestKeys;
  let acme: FakeProvider;
  let workers: ChildProcess[] = [];

  beforeAll(async () => {
    [postgres, redisServer] = await Promise.all([startPostgres(), startRedis()]);
    database = openPostgres(postgres.url, { name: 'stampede', maxConnections: 4 });
    const migrating = database.openForMigration();
    await migrate(migrating);
    await migrating.destroy();
    records = new SqlRecordStore(database.db, systemClock);
    redis = await openRedis(redisServer.url, { name: 'stampede' });
    await new RedisOneTimeStore(redis, systemClock).begin();
    keys = await testKeys();
  });
  afterAll(async () => {
    await redis.close();
    await database.close();
    await Promise.all([postgres.close(), redisServer.close()]);
  });
  afterEach(async () => {
    for (const worker of workers) if (worker.connected) worker.disconnect();
    workers = [];
    await acme.close();
  });

  async function begin(
    options: Partial<FakeProviderOptions>,
    refreshGraceSeconds: number,
    diesAt: DeathPoint,
  ) {
    acme = await startFakeProvider({
      refreshTokens: 'rotating',
      graceMs: refreshGraceSeconds * 1000 || -1,
      ...options,
    });
    // Long enough for every process to come while one asks.
    acme.answerFate = () => setTimeout<AnswerFate>(300, 'send');
    const provider = acmeProvider(acme, { refreshGraceSeconds });
    const test = openTestVault(await TestPolicy.create(), [provider], { records });
    const person = randomUUID();
    const connected = await connect(test, acme, person, 1);
    const setup = {
      databaseUrl: postgres.url,
      redisUrl: redisServer.url,
      provider,
      keys: keys.publicJwks(),
      issuer,
      audience,
    };
    workers = await Promise.all(
      [diesAt, 'never', 'never', 'never'].map((point) =>
        startWorker({ ...setup, diesAt: point as DeathPoint }),
      ),
    );
    return { person, test, ...connected };
  }

  const grantsFor = (person: string): Promise<string[]> =>
    Promise.all(
      Array.from({ length: callersEach }, () =>
        issueDecisionGrant(
          {
            person,
            actors: [{ sub: 'agent' }],
            clientId: 'agent',
            tenant: defaultTenant,
            resource,
            scopes: ['read'],
            decisionId: randomUUID(),
          },
          {
            signer: keys,
            issuer,
            audience,
            nowSeconds: Math.floor(Date.now() / 1000),
            lifetimeSeconds: 60,
            newId: randomUUID,
          },
        ),
      ),
    );

  /** What each process answered; undefined for one that died. The one that is to die comes first, so that it leads. */
  async function stampede(
    person: string,
    diesAt: DeathPoint = 'never',
  ): Promise<(WorkerAnswer | undefined)[]> {
    const grants = await Promise.all(workers.map(() => grantsFor(person)));
    const send = async (nth: number): Promise<WorkerAnswer | undefined> => {
      const worker = workers[nth]!;
      const answered = new Promise<WorkerAnswer>((resolve) => {
        worker.on(
          'message',
          (answer: WorkerAnswer | string) => typeof answer === 'object' && resolve(answer),
        );
      });
      const died = once(worker, 'exit').then(() => undefined);
      worker.send(grants[nth] ?? []);
      return Promise.race([answered, died]);
    };
    const first = send(0);
    if (diesAt !== 'never') await once(workers[0]!, 'message');
    return Promise.all([first, ...workers.slice(1).map((_, nth) => send(nth + 1))]);
  }

  const summary = (answers: (WorkerAnswer | undefined)[]) => {
    const alive = answers.filter((answer) => answer !== undefined);
    return {
      alive: alive.length,
      tokens: new Set(alive.flatMap(({ tokens }) => tokens)),
      problems: new Set(alive.flatMap(({ problems }) => Object.keys(problems))),
    };
  };
  const rowOf = async ({ test, person }: Awaited<ReturnType<typeof begin>>) =>
    (await test.vault.list(person))[0];

  it('is refreshed exactly once, everybody is served, and the grant lives', async () => {
    const begun = await begin({}, 0, 'never');
    const { alive, tokens, problems } = summary(await stampede(begun.person));
    expect([alive, tokens.size, [...problems]]).toEqual([4, 1, []]);
    expect(acme.refreshes()).toBe(1);
    expect(acme.isGrantRevoked(begun.grantId)).toBe(false);
    expect(acme.isLive([...tokens][0] ?? '')).toBe(true);
  });

  it.each(['lease-taken', 'intent-written', 'request-sent', 'answer-read', 'tokens-stored'] as const)(
    'outlives a leader that is killed with its %s, at a provider with a grace of ten seconds',
    async (diesAt) => {
      const begun = await begin({}, 10, diesAt);
      const { alive, tokens, problems } = summary(await stampede(begun.person, diesAt));
      expect([alive, tokens.size, [...problems]]).toEqual([3, 1, []]);
      expect(acme.refreshes()).toBeLessThanOrEqual(2);
      expect(acme.isGrantRevoked(begun.grantId)).toBe(false);
      expect(acme.isLive([...tokens][0] ?? '')).toBe(true);
    },
  );

  it.each(['lease-taken', 'intent-written', 'tokens-stored'] as const)(
    'loses nothing to a leader that is killed with its %s, at a provider that forgives nothing',
    async (diesAt) => {
      const begun = await begin({}, 0, diesAt);
      const { alive, tokens, problems } = summary(await stampede(begun.person, diesAt));
      expect([alive, tokens.size, [...problems]]).toEqual([3, 1, []]);
      expect(acme.refreshes()).toBe(1);
      expect(acme.isGrantRevoked(begun.grantId)).toBe(false);
    },
  );

  it.each(['request-sent', 'answer-read'] as const)(
    'says that the answer was lost with a leader killed with its %s, where the provider forgives nothing',
    async (diesAt) => {
      const begun = await begin({}, 0, diesAt);
      const { alive, tokens, problems } = summary(await stampede(begun.person, diesAt));
      expect([alive, tokens.size]).toEqual([3, 0]);
      expect([...problems].every((problem) => ['needs_consent', 'unavailable'].includes(problem))).toBe(true);
      expect(await rowOf(begun)).toMatchObject({ status: 'needs_consent', reason: 'refresh_lost' });
      // What only the person can mend, the person mends.
      await connect(begun.test, acme, begun.person);
      workers = workers.slice(1);
      expect(summary(await stampede(begun.person))).toMatchObject({ alive: 3, problems: new Set() });
    },
  );

  it('is served by a provider that answers late, and by one that loses its first answer', async () => {
    const late = await begin({}, 10, 'never');
    acme.answerFate = (nth) => setTimeout<AnswerFate>(nth === 1 ? 4_500 : 0, 'send');
    expect(summary(await stampede(late.person))).toMatchObject({ alive: 4, problems: new Set() });
    expect(acme.isGrantRevoked(late.grantId)).toBe(false);
    for (const worker of workers) worker.disconnect();
    await acme.close();

    const lost = await begin({}, 10, 'never');
    acme.answerFate = (nth) => (nth === 1 ? 'drop' : 'send');
    expect(summary(await stampede(lost.person))).toMatchObject({ alive: 4, problems: new Set() });
    expect(acme.isGrantRevoked(lost.grantId)).toBe(false);
  });

  it('waits, and loses nothing, while a provider does not answer at all', async () => {
    const begun = await begin({ refreshTokens: 'lasting' }, 10, 'never');
    acme.answerFate = () => ({ status: 503, body: {} });
    const down = summary(await stampede(begun.person));
    expect([down.alive, down.tokens.size, [...down.problems]]).toEqual([4, 0, ['unavailable']]);
    expect(acme.refreshes()).toBeLessThan(10);
    acme.answerFate = () => 'send';
    await setTimeout(2_500);
    expect(summary(await stampede(begun.person))).toMatchObject({ alive: 4, problems: new Set() });
  });
});

async function startWorker(setup: WorkerSetup): Promise<ChildProcess> {
  const worker = forkSource(join(folder, 'vault-worker.ts'), { VAULT_WORKER: JSON.stringify(setup) });
  await once(worker, 'message');
  return worker;
}
