import { createGuardedRelay } from '@behalf/adapter-http';
import {
  InProcessBus,
  MemoryEventLog,
  MemoryLeaseStore,
  MemoryOneTimeStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import type { AuditLog, AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { agentSuspended, connectionChanged, elicitationChanged, revocationCreated } from '@behalf/contracts';
import type { Bus, EventEnvelope, RecordStore } from '@behalf/ports';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { type Infrastructure, createLogger } from '@behalf/service-kit';
import type { FakeClock } from '@behalf/testing';
import type { OAuthProvider } from '@behalf/third-party';
import { VaultOperator } from '@behalf/vault';
import { AppStand, onServers, toldAudit } from '../../../deploy/fleet/app-stand.fixture.js';
import { type TestPolicy, type TestVault, openTestVault } from '../../../libs/vault/src/vault.fixture.js';
import { startElicitation } from '../src/elicitation.module.js';

interface ToStart {
  config: BehalfConfig;
  clock: FakeClock;
  policy: TestPolicy;
  provider: OAuthProvider;
  /** Answers where the service asks the others. */
  playOthers: (bus: Bus) => Promise<void>;
  /** Throws when nothing can be recorded. */
  checkRecording: () => void;
  onRecorded: (record: AuditRecord) => void;
}

/** What the service stands on in a test. */
interface Ground {
  /** Where the test plays the other services. */
  bus: Bus;
  records: RecordStore;
  /** The test's own, on the records of the service. */
  vault: TestVault;
  close(): Promise<void>;
}

/** Starts the service in memory, or on servers in the second shape. */
export const startForwardGround = (toStart: ToStart): Promise<Ground> =>
  (onServers ? startOnServers : startInMemory)(toStart);

/** The service with a vault on what it stands on. */
async function start(infrastructure: Infrastructure, { policy, provider }: ToStart) {
  const vault = openVault(infrastructure, { policy, provider });
  const service = await startElicitation(infrastructure, {
    providers: [provider],
    thirdParties: vault.thirdParties as never,
    vault: vault.vault,
    operator: new VaultOperator(vault),
    relay: createGuardedRelay({ allowLoopback: true }),
  });
  return { service, vault };
}

function openVault(
  { records, audit, clock, leases, oneTime, sharedCache }: Infrastructure,
  { policy, provider }: Pick<ToStart, 'policy' | 'provider'>,
): TestVault {
  return openTestVault(policy, [provider], {
    records,
    audit,
    clock,
    leases,
    verifyGrant: policy.verifier(oneTime),
    ...(sharedCache && { seenVersions: sharedCache }),
  });
}

async function startInMemory(toStart: ToStart): Promise<Ground> {
  const { config, clock, playOthers, checkRecording, onRecorded } = toStart;
  const bus = new InProcessBus({ maxInFlight: 100 });
  const events = [agentSuspended, connectionChanged, elicitationChanged, revocationCreated];
  const records = new MemoryRecordStore(clock, {
    onCommit: (committed) => {
      for (const event of committed) {
        const contract = events.find(({ type }) => type === event.type);
        if (contract) void bus.publish(contract as never, event as EventEnvelope<never>);
      }
    },
  });
  const audit: Pick<AuditLog, 'append'> = {
    append: async (record) => {
      checkRecording();
      onRecorded(record);
    },
  };
  await playOthers(bus);
  const { service, vault } = await start(
    {
      config,
      clock,
      records,
      oneTime: new MemoryOneTimeStore(clock),
      rateLimiter: new MemoryRateLimiter(clock),
      leases: new MemoryLeaseStore(clock),
      bus,
      events: new MemoryEventLog(records),
      audit: audit as Infrastructure['audit'],
      keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32).fill(3)),
      logger: createLogger('test', config.logLevel),
    },
    toStart,
  );
  return {
    bus,
    records,
    vault,
    close: async () => {
      await service.close();
      await bus.close();
    },
  };
}

async function startOnServers(toStart: ToStart): Promise<Ground> {
  const { config, clock, playOthers, checkRecording, onRecorded } = toStart;
  const { listen } = config.elicitation;
  const stand = await AppStand.open({ config, clock, ports: [listen.port] });
  const told = (infrastructure: Infrastructure): Infrastructure => {
    const audit = toldAudit(infrastructure.audit, onRecorded);
    return {
      ...infrastructure,
      // Behind a balancer, which listens where the configuration says.
      config: { ...config, elicitation: { ...config.elicitation, listen: { ...listen, port: 0 } } },
      audit: {
        ...audit,
        append: async (record, onPlaced) => {
          checkRecording();
          await audit.append(record, onPlaced);
        },
      },
    };
  };
  try {
    const { bus, records } = stand.own;
    await playOthers(bus);
    await stand.start('elicitation', { port: listen.port }, async (infrastructure) => {
      const { service } = await start(told(infrastructure), toStart);
      return service;
    });
    return { bus, records, vault: openVault(told(stand.own), toStart), close: () => stand.close() };
  } catch (error) {
    await stand.close();
    throw error;
  }
}
