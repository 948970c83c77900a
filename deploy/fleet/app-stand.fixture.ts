import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgres } from '@behalf/adapter-postgres';
import { RedisOneTimeStore, openRedis } from '@behalf/adapter-redis';
import type { AuditLeaves, AuditLog, AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { ServiceName } from '@behalf/contracts';
import { openInfrastructure } from '@behalf/infrastructure';
import { startNats, startRedis } from '@behalf/local-servers';
import type { Clock } from '@behalf/ports';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { appendedBy } from '@behalf/testing';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { TcpBalancer } from './tcp-balancer.js';

/** In the second shape, the server that `jest.servers.config.mjs` has started, with a migrated database to copy. */
const postgres = process.env['BEHALF_TEST_POSTGRES'];

/**
 * The shape that the suites of single apps are tested in: `embedded`, one instance on ports in memory, or `servers`, two
 * instances behind a balancer on a PostgreSQL database, a Redis and a NATS of their own. `npm test` runs both.
 */
export const onServers = postgres !== undefined;

export interface AppStandOptions {
  config: BehalfConfig;
  clock: Clock;
  /** Taken at once, for the apps that are started there: by the time the servers run, others may listen on them. */
  ports?: readonly number[];
}

export interface ReplicaOptions {
  /** Two without it. One, where a test looks into it. */
  count?: number | undefined;
  /** Where it is to be found, one of those taken; somewhere free without it. */
  port?: number;
}

/**
 * What replicas of an app stand on: a database, a Redis and a NATS of their own. NATS lets everybody do everything here,
 * since making and proving keys takes longer than most tests; what each service may do is held all the same, by itself.
 */
export class AppStand {
  private constructor(
    private readonly options: AppStandOptions,
    private readonly environment: Record<string, string>,
    private readonly balancers: readonly TcpBalancer[],
    /**
     * Of one more process, which also carries events from the database to NATS: what the test looks with, and how it
     * plays the services that it does not start.
     */
    readonly own: Infrastructure,
    private readonly opened: (() => Promise<void>)[],
  ) {}

  static async open(options: AppStandOptions): Promise<AppStand> {
    const { config, clock, ports = [] } = options;
    const opened: (() => Promise<void>)[] = [];
    try {
      const balancers: TcpBalancer[] = [];
      for (const port of ports) {
        const balancer = await TcpBalancer.open(port, []);
        opened.push(() => balancer.close());
        balancers.push(balancer);
      }
      const folder = await mkdtemp(join(tmpdir(), 'behalf-stand-'));
      opened.push(() => rm(folder, { recursive: true, force: true }));
      const opening = [
        copyDatabase(),
        startRedis({ folder: join(folder, 'redis') }),
        startNats({ folder: join(folder, 'nats'), config: `max_payload: ${maxPayloadBytes}` }),
      ] as const;
      // Together, and also when one of them could not be started.
      opened.push(async () => {
        const servers = await Promise.allSettled(opening);
        await Promise.all(
          servers.map(async (server) => server.status === 'fulfilled' && server.value.close()),
        );
      });
      const [database, redis, nats] = await Promise.all(opening);
      await beginMemory(redis.url, clock);
      const environment = {
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        NATS_URL: nats.url,
        BEHALF_SEALING_KEY: sealingKey,
      };
      const carrier = await openInfrastructure(
        { name: 'test', config, clock, environment },
        async (infrastructure) => ({ infrastructure, close: async () => {} }),
      );
      opened.push(() => carrier.close());
      return new AppStand(options, environment, balancers, carrier.infrastructure, opened);
    } catch (error) {
      await end(opened);
      throw error;
    }
  }

  /** Starts replicas of one app, each on connections of its own, behind a balancer whose address it returns. */
  async start(
    service: ServiceName,
    { count = 2, port }: ReplicaOptions,
    start: (infrastructure: Infrastructure) => Promise<RunningService>,
  ): Promise<{ replicas: RunningService[]; url: string }> {
    const { config, clock } = this.options;
    const options = { config, clock, name: service, environment: this.environment };
    const starting = Array.from({ length: count }, () =>
      openInfrastructure({ ...options, relaysEvents: service === 'authorization-server' }, start),
    );
    this.opened.push(async () => {
      const started = await Promise.allSettled(starting);
      await Promise.all(started.map(async (one) => one.status === 'fulfilled' && one.value.close()));
    });
    const replicas = await Promise.all(starting);
    // One request for each connection, so that each goes to another replica than the one before.
    for (const { app } of replicas) app.getHttpServer().maxRequestsPerSocket = 1;
    const balancer = await this.balancerAt(port);
    balancer.shareAmong(replicas.map(({ url }) => Number(new URL(url).port)));
    const url = new URL(replicas[0]?.url ?? '');
    url.port = String(balancer.port);
    return { replicas, url: url.origin };
  }

  private async balancerAt(port = 0): Promise<TcpBalancer> {
    const taken = this.balancers.find((balancer) => balancer.port === port);
    if (taken) return taken;
    const balancer = await TcpBalancer.open(port, []);
    this.opened.push(() => balancer.close());
    return balancer;
  }

  /** As after a crash of its machine: what was kept once is gone, and what was used counts as used. */
  async emptyRedis(): Promise<void> {
    const redis = new Redis(this.environment['REDIS_URL'] ?? '');
    await redis.flushall();
    redis.disconnect();
  }

  /** Lets time pass in Redis, which goes by a clock of its own. */
  async ageRedis(seconds: number): Promise<void> {
    const redis = new Redis(this.environment['REDIS_URL'] ?? '');
    await redis.eval(age, 0, seconds * 1000);
    redis.disconnect();
  }

  close(): Promise<void> {
    return end(this.opened);
  }
}

const age = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', key, math.max(0, left - tonumber(ARGV[1]))) end
end`;
/** The gateway takes bodies of 4 MB. */
const maxPayloadBytes = 8 * 1024 * 1024;
/** Replicas of one app share it, and what a first of them has sealed, the next of the same suite open. */
const sealingKey = randomBytes(32).toString('base64');

/** The log given, telling of each record that it has taken. */
export function toldAudit(
  log: AuditLog & AuditLeaves,
  tell: (record: AuditRecord) => void,
): AuditLog & AuditLeaves {
  return appendedBy(async (record, onPlaced) => {
    await log.append(record, onPlaced);
    tell(record);
  }, log);
}

async function end(opened: (() => Promise<void>)[]): Promise<void> {
  for (const close of opened.splice(0).toReversed()) await close();
}

async function copyDatabase(): Promise<{ url: string; close: () => Promise<void> }> {
  const template = new URL(postgres ?? '');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const server = openPostgres(new URL('/postgres', template).href, { name: 'test', maxConnections: 1 });
    try {
      await sql.raw(statement).execute(server.db);
    } finally {
      await server.close();
    }
  };
  await run(`CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`);
  return {
    url: new URL(`/${name}`, template).href,
    close: () => run(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** The database is a copy, so nobody takes this deployment for the new one that it is. */
async function beginMemory(url: string, clock: Clock): Promise<void> {
  const redis = await openRedis(url, { name: 'test' });
  await new RedisOneTimeStore(redis, clock).begin();
  await redis.close();
}
