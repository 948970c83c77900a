import { type LocalServer, startNats } from '@behalf/local-servers';
import { describeBus, describeWith } from '@behalf/testing';
import { NatsBus } from './index.js';

describeWith('nats-server')('NATS', () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.close());

  describeBus('NATS', async () => {
    const bus = await NatsBus.open({ url: server.url, service: 'test', maxInFlight: 100, ownsEvents: true });
    return { bus, close: () => bus.close() };
  });
});
