import { InProcessBus, MemoryEventLog, MemoryOneTimeStore, MemoryRecordStore } from '@behalf/adapter-memory';
import { configSchema } from '@behalf/config';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import type { Infrastructure } from '@behalf/service-kit';
import { FakeClock } from '@behalf/testing';
import { AppStand, onServers } from '../../../deploy/fleet/app-stand.fixture.js';
import { startElicitation } from '../src/elicitation.module.js';

const config = configSchema.parse({
  logLevel: 'silent',
  health: { live: '/internal/live' },
  authorizationServer: { signIn: { method: 'local', users: [] } },
  policy: { policies: 'deploy/demo/policies' },
  gateway: { clientId: 'gateway', upstreams: {} },
  elicitation: { listen: { port: 0 }, paths: { connect: '/broker/connect' } },
});

describe('the elicitation service without a client of its own', () => {
  it('starts, is healthy where it is told to, and refuses with a clear error where people would arrive', async () => {
    const { url, close } = await (onServers ? startOnServers : startInMemory)();
    try {
      expect((await fetch(`${url}/internal/live`)).status).toBe(200);
      for (const path of ['/broker/connect?e=x', '/callback?code=x&state=y']) {
        const answer = await fetch(url + path);
        expect([answer.status, await answer.json()]).toEqual([
          501,
          { error: 'temporarily_unavailable', error_description: 'no third-party provider is configured' },
        ]);
      }
      expect((await fetch(`${url}/connect`)).status).toBe(404);
    } finally {
      await close();
    }
  });
});

async function startInMemory() {
  const clock = new FakeClock();
  const bus = new InProcessBus({ maxInFlight: 10 });
  const records = new MemoryRecordStore(clock);
  const ports = {
    clock,
    bus,
    records,
    events: new MemoryEventLog(records),
    oneTime: new MemoryOneTimeStore(clock),
    keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32)),
  };
  const service = await startElicitation({ config, ...ports } as unknown as Infrastructure);
  const close = async (): Promise<void> => {
    await service.close();
    await bus.close();
  };
  return { url: service.url, close };
}

async function startOnServers() {
  const stand = await AppStand.open({ config, clock: new FakeClock(Date.now()) });
  const { url } = await stand.start('elicitation', {}, (infrastructure) => startElicitation(infrastructure));
  return { url, close: () => stand.close() };
}
