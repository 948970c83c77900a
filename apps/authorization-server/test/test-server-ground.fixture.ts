import { randomBytes } from 'node:crypto';
import {
  InProcessBus,
  MemoryEventLog,
  MemoryOneTimeStore,
  MemoryLeaseStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import type { AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { revocationCreated, signingKeysRotated } from '@behalf/contracts';
import type { Bus, EventEnvelope, EventLog, OneTimeStore, RecordStore } from '@behalf/ports';
import { type KeyEncryptionKey, LocalKeyEncryptionKey } from '@behalf/sealing';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { type SigningKey, signingKeyKind, SigningKeys } from '@behalf/signing-keys';
import { type FakeClock, RememberedAudit } from '@behalf/testing';
import { AppStand, onServers, toldAudit } from '../../../deploy/fleet/app-stand.fixture.js';
import { startAuthorizationServer } from '../src/authorization-server.module.js';
import type { TestServerOptions } from './test-server-config.fixture.js';

/** What an authorization server stands on in a test. */
export interface Ground {
  records: RecordStore;
  oneTime: OneTimeStore;
  bus: Bus;
  events: EventLog;
  service: RunningService;
  /** Where it does not go by the clock of the test. */
  age(seconds: number): Promise<void>;
  close(): Promise<void>;
}

interface ToStart {
  config: BehalfConfig;
  clock: FakeClock;
  audit: AuditRecord[];
  port: number;
}

/** Starts the server in memory, or on servers in the second shape. */
export const startOnGround = (toStart: ToStart, options: TestServerOptions): Promise<Ground> =>
  (onServers ? startOnServers : startInMemory)(toStart, options);

async function startInMemory({ config, clock, audit }: ToStart, options: TestServerOptions): Promise<Ground> {
  const bus = new InProcessBus({ maxInFlight: 100 });
  const records = new MemoryRecordStore(clock, {
    onCommit: (events) => {
      for (const event of events) {
        const contract = [revocationCreated, signingKeysRotated].find(({ type }) => type === event.type);
        if (contract) void bus.publish(contract as never, event as EventEnvelope<never>);
      }
    },
  });
  await seedSigningKeys(records, clock, kek);
  const oneTime = new MemoryOneTimeStore(clock);
  const events = new MemoryEventLog(records);
  const service = await startAuthorizationServer(
    {
      config,
      clock,
      records,
      oneTime,
      rateLimiter: new MemoryRateLimiter(clock),
      leases: new MemoryLeaseStore(clock),
      bus,
      events,
      audit: options.auditLog ?? new RememberedAudit(audit),
      keyEncryptionKey: kek,
    },
    options,
  );
  const close = async (): Promise<void> => {
    await service.close();
    await bus.close();
  };
  return { records, oneTime, bus, events, service, age: async () => {}, close };
}

async function startOnServers(
  { config, clock, audit, port }: ToStart,
  options: TestServerOptions,
): Promise<Ground> {
  const stand = await AppStand.open({ config, clock, ports: [port] });
  try {
    const { own } = stand;
    await seedSigningKeys(own.records, clock, own.keyEncryptionKey);
    const stood: Infrastructure[] = [];
    const { replicas } = await stand.start(
      'authorization-server',
      { port, count: options.replicas },
      (infrastructure) => {
        const stoodOn = {
          ...infrastructure,
          audit: options.auditLog ?? toldAudit(infrastructure.audit, (record) => audit.push(record)),
        };
        stood.push(stoodOn);
        return startAuthorizationServer(stoodOn, options);
      },
    );
    const [service] = replicas;
    if (!service) throw new Error('no replica was started');
    // What a test changes of these it changes of the replica, where it asked for one.
    const [{ records, oneTime }] = options.replicas === 1 ? (stood as [Infrastructure]) : [own];
    return {
      records,
      oneTime,
      bus: own.bus,
      events: own.events,
      service,
      age: (seconds) => stand.ageRedis(seconds),
      close: () => stand.close(),
    };
  } catch (error) {
    await stand.close();
    throw error;
  }
}

const kek = new LocalKeyEncryptionKey(randomBytes(32));
let seed: Promise<SigningKey[]> | undefined;

/** Making RSA keys takes longer than most tests, so the servers of one file begin with the same. */
async function seedSigningKeys(
  records: RecordStore,
  clock: FakeClock,
  sealedUnder: KeyEncryptionKey,
): Promise<void> {
  seed ??= (async () => {
    const made = new MemoryRecordStore(clock);
    await new SigningKeys(made, sealedUnder, clock, { overlapSeconds: 1 }).ensure();
    return (await made.list(signingKeyKind)).map(({ value }) => value);
  })();
  const keys = await seed;
  await records.transaction(async (transaction) => {
    for (const key of keys) await transaction.put(signingKeyKind, key.kid, key);
  });
}
