import { loadOrCreateLocalKey } from '@behalf/adapter-local-key';
import {
  OutboxRelay,
  SqlAuditLog,
  SqlEventLog,
  SqlRecordStore,
  sweepExpired,
} from '@behalf/adapter-postgres';
import { ResidentRecords } from '@behalf/adapter-memory';
import { originOf } from '@behalf/audit';
import { revocationRecords } from '@behalf/adapter-oidc-provider';
import { agentRecords } from '@behalf/agent-identity';
import type { BehalfConfig } from '@behalf/config';
import { serviceNames } from '@behalf/contracts';
import { type Clock, type RecordKind, type RecordStore, systemClock } from '@behalf/ports';
import { type Infrastructure, createLogger, loadConfig } from '@behalf/service-kit';
import { startMetrics, startTracing } from '@behalf/telemetry';
import { join } from 'node:path';
import { ActivityRelay, tellsActivity } from './activity-relay.js';
import { checkSealingKey } from './check-sealing-key.js';
import { measureDatabase } from './measure-database.js';
import { openBus } from './open-bus.js';
import { openDatabase } from './open-database.js';
import { openShortLived } from './open-short-lived.js';
import { unrecordedBy } from './unrecorded.js';
import { serverAddresses } from './server-addresses.js';
import { serverCheck } from './server-check.js';

const demoConfig = 'deploy/demo/behalf.yaml';
const maxInFlight = 4096;
/** With a database of our own we hear of every change; a shared one has to be looked at for those of others. */
const relayIntervalMs = { embedded: 1_000, shared: 200 };
const sweepIntervalMs = 60_000;
/** A transaction that took long, or a process that ended, leaves audit records that wait for their place. */
const placeIntervalMs = 1_000;
const keepPublishedMs = 24 * 3600 * 1000;

/** What every request to the token endpoint looks up. */
const residentKinds = [revocationRecords, agentRecords] as RecordKind<unknown>[];

export interface InfrastructureOptions {
  /** The service, or what holds several of them. */
  name: string;
  /**
   * False for a service of several that share a database and a bus: another one carries the events of all of them from
   * the one to the other, and sweeps.
   */
  relaysEvents?: boolean;
  config?: BehalfConfig;
  environment?: Readonly<Record<string, string | undefined>>;
  /** The machine's without it. Redis, leases and rate limits go by the server's in any case. */
  clock?: Clock;
}

/**
 * Opens what services stand on, and runs them on it; closing ends the services first, then what they stand on.
 * Embedded, two programs cannot share a data folder: the second fails to start.
 *
 * @param start starts the services; what it returns is closed with the rest
 */
export async function openInfrastructure<S extends { close(signal?: NodeJS.Signals): Promise<void> }>(
  options: InfrastructureOptions,
  start: (infrastructure: Infrastructure) => Promise<S>,
): Promise<S> {
  const { name, environment = process.env, clock = systemClock } = options;
  const service = serviceNames.find((one) => one === name);
  const { config = loadConfig(demoConfig, environment, service) } = options;
  const addresses = serverAddresses(environment);
  const relays = options.relaysEvents !== false || addresses.NATS_URL === undefined;
  const logger = createLogger(name, config.logLevel);
  const opened: ((signal?: NodeJS.Signals) => Promise<void>)[] = [];
  const closeAll = async (signal?: NodeJS.Signals): Promise<void> => {
    for (const end of opened.toReversed()) await end(signal);
  };
  let closing: Promise<void> | undefined;
  // Who asks again waits for the same end.
  const close = (signal?: NodeJS.Signals): Promise<void> => (closing ??= closeAll(signal));

  try {
    const tracing = startTracing({
      serviceName: name,
      otlpEndpoint: config.otlpEndpoint ?? (environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined),
    });
    opened.push(() => tracing.stop());
    if (addresses.METRICS_PORT !== undefined) {
      const measuring = await startMetrics({
        serviceName: name,
        host: addresses.METRICS_HOST,
        port: addresses.METRICS_PORT,
      });
      opened.push(() => measuring.stop());
    }
    const database = await openDatabase(name, addresses, config, logger);
    opened.push(() => database.close());
    measureDatabase(database, { service: name, relays });
    const shortLived = await openShortLived(name, addresses, { clock, logger, isNew: database.isNew });
    opened.push(() => shortLived.close());
    const { bus, isConnected } = await openBus(name, addresses, { logger, maxInFlight, ownsEvents: relays });
    opened.push(() => bus.close());
    const relay = new OutboxRelay(database.db, bus, clock, {
      sweepIntervalMs: relayIntervalMs[addresses.DATABASE_URL === undefined ? 'embedded' : 'shared'],
      onError: (err) => logger.error({ err }, 'events wait in the outbox'),
    });
    if (relays) opened.push(() => relay.stop());

    const stored = new SqlRecordStore(
      database.db,
      clock,
      relays ? { onCommit: () => relay.publishSoon() } : {},
    );
    // An embedded database has no other writer than this program.
    const records: RecordStore =
      addresses.DATABASE_URL === undefined
        ? await ResidentRecords.open(stored, residentKinds, {
            clock,
            onError: (err) => logger.error({ err }, 'records are read from the database from now on'),
          })
        : stored;

    const keyEncryptionKey = await loadOrCreateLocalKey(config.dataFolder, environment);
    await checkSealingKey(records, keyEncryptionKey);

    const auditOptions = {
      maxWaiting: maxInFlight,
      onError: (err: unknown) => logger.error({ err }, 'audit records wait for their place in the log'),
      ...unrecordedBy(name, config.audit.onFailure, logger),
    };
    const audit =
      addresses.DATABASE_URL === undefined
        ? await SqlAuditLog.openJournaled(database.db, join(config.dataFolder, 'audit.journal'), auditOptions)
        : new SqlAuditLog(database.db, auditOptions);
    await audit.place();
    const placing = setInterval(() => void audit.place(), placeIntervalMs).unref();
    opened.push(async () => {
      clearInterval(placing);
      await audit.close();
    });

    const activity =
      relays && tellsActivity(config.audit.events, addresses.NATS_URL !== undefined)
        ? new ActivityRelay({
            service: name,
            leaves: audit,
            records,
            bus,
            leases: shortLived.leases,
            clock,
            logger,
            origin: originOf(config.authorizationServer.issuer),
          })
        : undefined;
    opened.push(async () => activity?.stop());

    const services = await start({
      config,
      clock,
      // A clock that was handed in is not that of this machine.
      ...(database.timeMs && options.clock === undefined && { databaseTimeMs: database.timeMs }),
      records,
      oneTime: shortLived.oneTime,
      rateLimiter: shortLived.rateLimiter,
      sharedCache: shortLived.sharedCache,
      leases: shortLived.leases,
      bus,
      events: new SqlEventLog(database.db),
      audit,
      keyEncryptionKey,
      logger,
      servers: {
        ...(database.ping && { postgres: serverCheck(database.ping) }),
        ...(shortLived.ping && { redis: serverCheck(shortLived.ping) }),
        ...(isConnected && { nats: async () => isConnected() }),
      },
    });
    opened.push((signal) => services.close(signal));
    if (relays) {
      relay.start();
      activity?.start();
      const sweep = setInterval(() => {
        sweepExpired(database.db, { nowMs: clock.nowMs(), keepPublishedMs }).catch((err: unknown) =>
          logger.warn({ err }, 'expired records were not swept'),
        );
      }, sweepIntervalMs).unref();
      opened.push(async () => clearInterval(sweep));
    }
    return { ...services, close };
  } catch (error) {
    await close();
    throw error;
  }
}
