import { InProcessBus } from '@behalf/adapter-memory';
import { NatsBus } from '@behalf/adapter-nats';
import type { Bus } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { ServerAddresses } from './server-addresses.js';

export interface OpenedBus {
  bus: Bus;
  /** None of a bus inside this process. */
  isConnected?: () => boolean;
}

/** @param ownsEvents this is the service that carries events out of the database */
export async function openBus(
  service: string,
  addresses: ServerAddresses,
  { logger, maxInFlight, ownsEvents }: { logger: Logger; maxInFlight: number; ownsEvents: boolean },
): Promise<OpenedBus> {
  const onError = (what: string, err: unknown): void =>
    logger.error({ what, err }, 'a message was not handled');
  if (addresses.NATS_URL === undefined) {
    return { bus: new InProcessBus({ maxInFlight, onListenerError: onError }) };
  }
  const bus = await NatsBus.open({
    url: addresses.NATS_URL,
    service,
    nkeySeed: addresses.NATS_NKEY_SEED,
    caFile: addresses.NATS_CA_FILE,
    certFile: addresses.NATS_CERT_FILE,
    keyFile: addresses.NATS_KEY_FILE,
    eventReplicas: addresses.NATS_EVENT_REPLICAS,
    maxInFlight,
    ownsEvents,
    onError,
    onConnection: (state) => logger.warn(`the connection to NATS is ${state}`),
  });
  return { bus, isConnected: () => bus.isConnected };
}
