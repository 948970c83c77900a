import { writeRevocation } from '@behalf/adapter-oidc-provider';
import { revocationCreated } from '@behalf/contracts';
import { openInfrastructure } from '@behalf/infrastructure';
import { type LocalServer, startPostgres } from '@behalf/local-servers';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { describeWith } from '@behalf/testing';
import { jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer } from '../../authorization-server/src/authorization-server.module.js';
import { demoConfigOnFreePorts, startTimeoutMs } from './demo-system.fixture.js';
import { moveOwnClock } from './process-clocks.fixture.js';

const aheadSeconds = 300;
const lifetimeSeconds = 3_600;

describeWith('postgres')('replicas of the authorization server on PostgreSQL', () => {
  let server: LocalServer;
  let folder: string;
  const replicas: { infrastructure: Infrastructure; close(): Promise<void> }[] = [];
  beforeAll(async () => {
    server = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), 'behalf-clocks-'));
  }, startTimeoutMs);
  afterEach(() => jest.useRealTimers());
  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }, startTimeoutMs);

  const start = async (): Promise<Infrastructure> => {
    const config = await demoConfigOnFreePorts(folder);
    const environment = { DATABASE_URL: server.url };
    const replica = await openInfrastructure(
      { name: 'authorization-server', config, environment },
      async (infrastructure) => {
        const service: RunningService = await startAuthorizationServer(infrastructure);
        return { infrastructure, close: () => service.close() };
      },
    );
    replicas.push(replica);
    return replica.infrastructure;
  };
  /** How much further than now a revocation reaches that goes by when tokens were issued. */
  const reachMs = async ({ records, events }: Infrastructure): Promise<number> => {
    const nowMs = Date.now();
    const what = { kind: 'grant', id: 'g', issuedUntilMs: nowMs } as const;
    await records.transaction((transaction) =>
      writeRevocation(transaction, what, { nowMs, lifetimeSeconds }),
    );
    let told: number | undefined;
    while (told === undefined) {
      const [last] = await events.after((await events.head()) - 1, 1);
      const { data } = revocationCreated.data.safeParse(last?.data);
      if (data?.revokedAtMs === nowMs) told = data.issuedUntilMs;
    }
    return told - nowMs;
  };

  it(
    'know of a clock that is ahead before a token is issued by it',
    async () => {
      const first = await start();
      expect(await reachMs(first)).toBe(0);
      moveOwnClock(aheadSeconds);
      await start();
      jest.useRealTimers();
      expect(await reachMs(first)).toBeGreaterThan((aheadSeconds - 60) * 1000);
    },
    startTimeoutMs,
  );
});
