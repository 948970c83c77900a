import { type LocalServer, startNats, startPostgres, startRedis } from '@behalf/local-servers';
import { openInfrastructure } from '@behalf/infrastructure';
import type { RunningService } from '@behalf/service-kit';
import { describeWith } from '@behalf/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startAuthorizationServer } from '../../authorization-server/src/authorization-server.module.js';
import { startElicitation } from '../../elicitation/src/elicitation.module.js';
import { startGateway } from '../../gateway/src/gateway.module.js';
import { startPolicy } from '../../policy/src/policy.module.js';
import { demoConfigOnFreePorts, startTimeoutMs } from './demo-system.fixture.js';

const starts = {
  'authorization-server': startAuthorizationServer,
  policy: startPolicy,
  elicitation: startElicitation,
  gateway: startGateway,
};
type Name = keyof typeof starts;
const names = Object.keys(starts) as Name[];

const servers: Partial<Record<'postgres' | 'redis' | 'nats', LocalServer>> = {};
const services: Partial<Record<Name, RunningService>> = {};
let folder: string;

/** What `/readyz` says, with its status. */
interface Said {
  http: number;
  waiting_for?: string[];
  away?: string[];
}

async function ready(name: Name): Promise<Said> {
  const url = services[name]?.url ?? '';
  // Nothing that a service stands on ends it.
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  // As long as those who probe wait.
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) });
  const { waiting_for, away, ...rest } = (await response.json()) as Omit<Said, 'http'> & { status: string };
  expect(Object.keys(rest)).toEqual(['status']);
  return { http: response.status, ...(waiting_for && { waiting_for }), ...(away && { away }) };
}

/** The first answer that is as wanted. The test's own limit ends the waiting. */
async function until(name: Name, isWanted: (said: Said) => boolean): Promise<Said> {
  for (;;) {
    const said = await ready(name);
    if (isWanted(said)) return said;
    await setTimeout(100);
  }
}

const allAreReady = () =>
  Promise.all(names.map((name) => until(name, ({ http, away }) => http === 200 && away === undefined)));
const waitsFor = (server: string) => (said: Said) =>
  said.http === 503 && said.waiting_for?.includes(server) === true;
const goesOnWithout = (server: string) => (said: Said) =>
  said.http === 200 && said.away?.includes(server) === true;

describeWith(
  'nats-server',
  'redis-server',
  'postgres',
)('readiness', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-readiness-'));
    servers.postgres = await startPostgres();
    servers.redis = await startRedis();
    servers.nats = await startNats({ config: 'max_payload: 8MB' });
    const config = await demoConfigOnFreePorts(folder);
    const environment = {
      DATABASE_URL: servers.postgres?.url,
      REDIS_URL: servers.redis?.url,
      NATS_URL: servers.nats?.url,
    };
    for (const name of names) {
      const options = { name, config, environment, relaysEvents: name === 'authorization-server' };
      services[name] = await openInfrastructure(options, starts[name]);
    }
    await allAreReady();
  }, startTimeoutMs);
  afterAll(async () => {
    for (const name of names.toReversed()) await services[name]?.close();
    for (const server of Object.values(servers)) await server.close();
    await rm(folder, { recursive: true, force: true });
  }, startTimeoutMs);

  const faults = [
    ['suspended', (server: LocalServer) => server.process.suspend(), (server) => server.process.resume()],
    ['killed', (server: LocalServer) => server.process.kill(), (server) => server.process.start()],
  ] as [
    string,
    (server: LocalServer) => void | Promise<void>,
    (server: LocalServer) => void | Promise<void>,
  ][];

  describe.each(faults)('%s', (_title, breakIt, mend) => {
    const during = async (name: keyof typeof servers, look: () => Promise<void>): Promise<void> => {
      const server = servers[name]!;
      await breakIt(server);
      await look().finally(() => mend(server));
      await allAreReady();
    };

    it(
      'PostgreSQL: who cannot serve without it is not ready until it is back, and the gateway needs it for nothing',
      () =>
        during('postgres', async () => {
          for (const name of ['authorization-server', 'policy', 'elicitation'] as const)
            await until(name, waitsFor('postgres'));
          const said = await ready('gateway');
          expect([...(said.waiting_for ?? []), ...(said.away ?? [])]).not.toContain('postgres');
        }),
      startTimeoutMs,
    );

    it(
      'Redis: every service stays ready, and says what is away',
      () =>
        during('redis', async () => {
          for (const name of names) await until(name, goesOnWithout('redis'));
        }),
      startTimeoutMs,
    );

    it(
      'NATS: only the authorization server stays ready',
      () =>
        during('nats', async () => {
          for (const name of ['policy', 'elicitation', 'gateway'] as const)
            await until(name, waitsFor('nats'));
          await until('authorization-server', goesOnWithout('nats'));
        }),
      startTimeoutMs,
    );
  });
});
