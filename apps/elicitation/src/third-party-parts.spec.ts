import { jest } from '@jest/globals';
import {
  InProcessBus,
  MemoryEventLog,
  MemoryLeaseStore,
  MemoryOneTimeStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import { configSchema } from '@behalf/config';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { createLogger } from '@behalf/service-kit';
import {
  type FakeProvider,
  FakeClock,
  RememberedAudit,
  SecretFile,
  startFakeProvider,
} from '@behalf/testing';
import { thirdPartyParts } from './third-party-parts.js';

describe('the secret that we have at a provider', () => {
  let acme: FakeProvider;
  let file: SecretFile;
  beforeEach(async () => {
    acme = await startFakeProvider({ refreshTokens: 'lasting' });
    file = await SecretFile.create('old');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await acme.close();
    await file.close();
  });

  it('is the one that its file has by now, at the next request for tokens', async () => {
    let passedMs = 0;
    const elapsedMs = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => elapsedMs() + passedMs);
    const { providers, thirdParties } = partsWith(acme, { ACME_SECRET_FILE: file.path });
    const refresh = () =>
      thirdParties.refresh(providers[0]!, {
        refreshToken: acme.grant().refreshToken,
        client: undefined,
        scopes: ['read'],
      });
    await refresh();
    await file.write('new', 'old');
    passedMs += 1_000;
    await refresh();
    expect(acme.forms.map((form) => form.get('client_secret'))).toEqual(['old', 'new']);
  });

  it('is wanted at the start', () => {
    expect(() => partsWith(acme, { ACME_SECRET_FILE: `${file.path}.nothing` })).toThrow('ACME_SECRET_FILE');
  });
});

function partsWith({ issuer }: FakeProvider, environment: Record<string, string>) {
  const clock = new FakeClock(Date.now());
  const records = new MemoryRecordStore(clock);
  const config = configSchema.parse({
    authorizationServer: { issuer: 'http://localhost:4000', signIn: { method: 'local', users: [] } },
    policy: { policies: 'unused' },
    gateway: { clientId: 'gateway', upstreams: {} },
    development: { allowLoopbackProviders: true },
    elicitation: {
      client: { id: 'connections', demoSecret: 'connections-secret' },
      providers: [
        {
          kind: 'oauth',
          id: 'acme',
          issuer,
          resources: ['https://api.acme.example'],
          scopes: { read: 'Read' },
          client: { id: 'behalf', auth: 'client_secret_post', secretEnv: 'ACME_SECRET' },
        },
      ],
    },
  });
  return thirdPartyParts(
    {
      config,
      clock,
      records,
      oneTime: new MemoryOneTimeStore(clock),
      rateLimiter: new MemoryRateLimiter(clock),
      leases: new MemoryLeaseStore(clock),
      bus: new InProcessBus({ maxInFlight: 1 }),
      events: new MemoryEventLog(records),
      audit: new RememberedAudit([]),
      keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32).fill(3)),
      logger: createLogger('test', 'silent'),
    },
    environment,
  );
}
