import { FaultyProxy, type LocalServer, startNats } from '@behalf/local-servers';
import type { BusError } from '@behalf/ports';
import { NatsBus, type NatsBusOptions } from './nats-bus.js';

/** A nats-server for the tests of a suite, and to each of them a proxy, through which its buses reach the server. */
export function standOnNats() {
  let server: LocalServer;
  let proxy: FaultyProxy;
  let opened: { close(): Promise<void> }[];
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    opened = [];
    proxy = await FaultyProxy.open(server.port);
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
    await proxy.close();
  });

  const open = async (options: Partial<NatsBusOptions> = {}): Promise<NatsBus> => {
    const bus = await NatsBus.open({
      url: proxy.via(server.url),
      service: 'test',
      maxInFlight: 100,
      ownsEvents: true,
      ...options,
    });
    opened.push({ close: () => bus.close() });
    return bus;
  };
  return {
    open,
    get server(): LocalServer {
      return server;
    },
    get proxy(): FaultyProxy {
      return proxy;
    },
    /** Closed after the test, in this order. */
    get opened(): { close(): Promise<void> }[] {
      return opened;
    },
  };
}

export const failureOf = (request: Promise<unknown>): Promise<BusError> =>
  request.then(
    () => Promise.reject(new Error('the request was answered')),
    (error: unknown) => error as BusError,
  );
