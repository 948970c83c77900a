import { openPostgres, SqlRecordStore } from '@behalf/adapter-postgres';
import { openRedis, RedisCache, RedisLeaseStore, RedisOneTimeStore } from '@behalf/adapter-redis';
import { createGuardedRequest } from '@behalf/adapter-http';
import { MemoryRateLimiter } from '@behalf/adapter-memory';
import { verifyDecisionGrant } from '@behalf/decision-grant';
import { type LeaseStore, type RecordStore, systemClock } from '@behalf/ports';
import { KeyRing, LocalKeyEncryptionKey } from '@behalf/sealing';
import { type Provider, type ThirdParties, ThirdPartyClient } from '@behalf/third-party';
import { SealedVault } from '@behalf/vault';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';

/** Where a leader dies, as if the machine had gone: no handler runs, and nothing is given back. */
export type DeathPoint =
  'never' | 'lease-taken' | 'intent-written' | 'request-sent' | 'answer-read' | 'tokens-stored';

export interface WorkerSetup {
  databaseUrl: string;
  redisUrl: string;
  provider: Provider;
  keys: JSONWebKeySet;
  issuer: string;
  audience: string;
  diesAt: DeathPoint;
}

export interface WorkerAnswer {
  tokens: string[];
  problems: Record<string, number>;
}

const setup = JSON.parse(process.env['VAULT_WORKER'] ?? '') as WorkerSetup;
const dieAt = (point: DeathPoint): void => {
  if (setup.diesAt === point) process.kill(process.pid, 'SIGKILL');
};

const database = openPostgres(setup.databaseUrl, { name: 'vault-worker', maxConnections: 5 });
const redis = await openRedis(setup.redisUrl, { name: 'vault-worker', commandTimeoutMs: 5_000 });
const stored = new SqlRecordStore(database.db, systemClock);
const redisLeases = new RedisLeaseStore(redis);
const client = new ThirdPartyClient({
  http: createGuardedRequest({ allowLoopback: true, maxBytes: 65_536, timeoutMs: 25_000 }),
  clock: systemClock,
  allowLoopback: true,
  clientMetadataUrl: 'https://behalf.example/client-metadata.json',
  registrations: { get: async () => undefined, keep: async (_uri, given) => given },
});

let writes = 0;
const leases: LeaseStore = {
  acquire: async (...asked) => {
    const lease = await redisLeases.acquire(...asked);
    if (lease && setup.diesAt !== 'never') {
      // The others come now, so that they are there when this one dies.
      process.send?.('leading');
      await setTimeout(500);
      dieAt('lease-taken');
    }
    return lease;
  },
  renew: (...asked) => redisLeases.renew(...asked),
  release: (...asked) => redisLeases.release(...asked),
};
const records: RecordStore = {
  get: (...asked) => stored.get(...asked),
  list: (...asked) => stored.list(...asked),
  transaction: async (work) => {
    const done = await stored.transaction(work);
    writes += 1;
    dieAt(writes === 1 ? 'intent-written' : 'tokens-stored');
    return done;
  },
};
const thirdParties: Pick<ThirdParties, 'refresh' | 'revoke'> = {
  refresh: async (...asked) => {
    const refreshing = client.refresh(...asked);
    // The provider takes longer than this to answer, and has the request by then.
    if (setup.diesAt === 'request-sent') await setTimeout(60).then(() => dieAt('request-sent'));
    const tokens = await refreshing;
    dieAt('answer-read');
    return tokens;
  },
  revoke: (...asked) => client.revoke(...asked),
};

const oneTime = new RedisOneTimeStore(redis, systemClock);
const grantKeys = createLocalJWKSet(setup.keys);
const vault = new SealedVault({
  records,
  keys: new KeyRing(new LocalKeyEncryptionKey(Buffer.alloc(32, 1))),
  leases,
  seenVersions: new RedisCache(redis, { purpose: 'shared', schema: z.string() }),
  rateLimiter: new MemoryRateLimiter(systemClock),
  audit: { append: async () => {} },
  clock: systemClock,
  thirdParties,
  providers: [setup.provider],
  verifyGrant: (token) =>
    verifyDecisionGrant(token, {
      issuer: setup.issuer,
      audience: setup.audience,
      keys: grantKeys,
      oneTime,
      nowMs: Date.now(),
    }),
  opensPerMinute: 1_000_000,
  wait: (ms) => setTimeout(ms),
  random: Math.random,
  onFault: () => {},
});

async function openAll(grants: string[]): Promise<WorkerAnswer> {
  const tokens = new Set<string>();
  const problems: Record<string, number> = {};
  await Promise.all(
    grants.map(async (grant) => {
      try {
        tokens.add((await vault.openForUse(grant)).accessToken);
      } catch (error) {
        const problem = (error as { problem?: string }).problem ?? String(error);
        problems[problem] = (problems[problem] ?? 0) + 1;
      }
    }),
  );
  return { tokens: [...tokens], problems };
}

process.on('message', (grants: string[]) => {
  void openAll(grants).then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
