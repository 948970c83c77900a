import { loadOrCreateLocalKey } from '@behalf/adapter-local-key';
import { InProcessBus, MemoryOneTimeStore } from '@behalf/adapter-memory';
import {
  OutboxRelay,
  SqlAuditLog,
  SqlRecordStore,
  migrate,
  openPglite,
  sweepExpired,
} from '@behalf/adapter-postgres';
import type { BehalfConfig } from '@behalf/config';
import { systemClock } from '@behalf/ports';
import { type Infrastructure, createLogger, loadConfig } from '@behalf/service-kit';
import { startTracing } from '@behalf/telemetry';
import { join } from 'node:path';

const demoConfig = 'deploy/demo/behalf.yaml';
const maxInFlight = 4096;
const relayIntervalMs = 1_000;
const sweepIntervalMs = 60_000;
const keepPublishedMs = 24 * 3600 * 1000;

/**
 * Opens the data folder, migrates it, and runs services on it; closing ends the services first, then what they stand
 * on. Two programs cannot share a folder: the second fails to start.
 *
 * @param start starts the services; what it returns is closed with the rest
 */
export async function openEmbedded<S extends { close(): Promise<void> }>(
  name: string,
  start: (infrastructure: Infrastructure) => Promise<S>,
  config: BehalfConfig = loadConfig(demoConfig),
): Promise<S> {
  const logger = createLogger(name, config.logLevel);
  const tracing = startTracing({
    serviceName: name,
    otlpEndpoint: config.otlpEndpoint ?? process.env['OTEL_EXPORTER_OTLP_ENDPOINT'],
  });
  const database = await openPglite(join(config.dataFolder, 'database'));
  const bus = new InProcessBus({
    maxInFlight,
    onListenerError: (type, err) => logger.error({ type, err }, 'a listener failed'),
  });
  const relay = new OutboxRelay(database.db, bus, systemClock, {
    sweepIntervalMs: relayIntervalMs,
    onError: (err) => logger.error({ err }, 'events wait in the outbox'),
  });
  const sweep = setInterval(() => {
    sweepExpired(database.db, { nowMs: systemClock.nowMs(), keepPublishedMs }).catch((err: unknown) =>
      logger.warn({ err }, 'expired records were not swept'),
    );
  }, sweepIntervalMs).unref();
  const closeInfrastructure = async (): Promise<void> => {
    clearInterval(sweep);
    await relay.stop();
    await bus.close();
    await tracing.stop();
    await database.close();
  };

  try {
    const startedAtMs = systemClock.nowMs();
    const isNew = (await migrate(database.db)).includes('0001-records');
    const services = await start({
      config,
      clock: systemClock,
      records: new SqlRecordStore(database.db, systemClock, { onCommit: () => relay.publishSoon() }),
      oneTime: new MemoryOneTimeStore(systemClock, { rememberedSinceMs: isNew ? 0 : startedAtMs }),
      bus,
      audit: new SqlAuditLog(database.db, { maxWaiting: maxInFlight }),
      keyEncryptionKey: await loadOrCreateLocalKey(config.dataFolder),
      logger,
    });
    relay.start();
    return {
      ...services,
      close: async () => {
        await services.close();
        await closeInfrastructure();
      },
    };
  } catch (error) {
    await closeInfrastructure();
    throw error;
  }
}
