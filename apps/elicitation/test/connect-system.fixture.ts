import {
  InProcessBus,
  MemoryEventLog,
  MemoryOneTimeStore,
  MemoryLeaseStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import { createGuardedRelay } from '@behalf/adapter-http';
import type { AuditRecord } from '@behalf/audit';
import { type BehalfConfig, configSchema } from '@behalf/config';
import {
  type ThirdPartyTokenRequest,
  agentSuspended,
  connectionChanged,
  elicitationChanged,
  requestThirdPartyToken,
  revocationCreated,
  signingKeysRotated,
} from '@behalf/contracts';
import type { Bus, EventEnvelope, OneTimeStore, RecordStore } from '@behalf/ports';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { type Infrastructure, createLogger } from '@behalf/service-kit';
import { FakeClock, RememberedAudit, TestBrowser, type Visit, freePort } from '@behalf/testing';
import { AppStand, onServers, toldAudit } from '../../../deploy/fleet/app-stand.fixture.js';
import { startAuthorizationServer } from '../../authorization-server/src/authorization-server.module.js';
import { startElicitation } from '../src/elicitation.module.js';
import { FakeThirdParty, providers } from './fake-third-party.fixture.js';
import { FakeVault } from './fake-vault.fixture.js';

const contracts = [
  agentSuspended,
  connectionChanged,
  elicitationChanged,
  revocationCreated,
  signingKeysRotated,
];

/** What a calendar server behind a gateway asks for, for alice. */
export const asked = {
  person: 'alice',
  client: 'https://editor.example/client.json',
  actors: ['calendar', 'gateway'],
  names: { 'https://editor.example/client.json': 'Editor', calendar: 'Calendar' },
  resource: 'https://api.drive.example',
  scopes: ['files.read'],
  decisionId: 'decision-1',
  request: { method: 'tools/call', name: 'list_events', digest: 'sha256-of-the-arguments' },
  waitSeconds: 0,
} satisfies ThirdPartyTokenRequest;

/** The authorization server and the elicitation service over real HTTP; the third party and the vault are fakes. */
export async function startConnectSystem() {
  const [asPort, port] = [await freePort(), await freePort()];
  const publicUrl = `http://localhost:${port}`;
  const config = configSchema.parse({
    logLevel: process.env['TEST_LOG'] ?? 'silent',
    authorizationServer: {
      issuer: `http://localhost:${asPort}`,
      listen: { port: asPort },
      signIn: {
        method: 'local',
        users: ['alice', 'bob', 'carol'].map((name) => ({
          username: name,
          password: name,
          name: name.toUpperCase(),
        })),
      },
      clients: [
        {
          clientId: 'connections',
          clientName: 'Your connections',
          demoSecret: 'connections-secret',
          grantTypes: ['authorization_code'],
          redirectUris: [`${publicUrl}/sign-in/callback`],
        },
        ...['calendar', 'mail-server'].map((clientId) => ({
          clientId,
          demoSecret: `${clientId}-secret`,
          grantTypes: ['client_credentials'],
          scopes: ['elicitation:read'],
        })),
      ],
    },
    policy: { policies: 'unused' },
    gateway: { clientId: 'gateway', upstreams: {} },
    elicitation: {
      listen: { port },
      publicUrl,
      client: { id: 'connections', demoSecret: 'connections-secret' },
    },
  });
  const clock = new FakeClock(Date.now());
  const audit: AuditRecord[] = [];
  const thirdParty = await FakeThirdParty.start();
  const vault = new FakeVault(thirdParty);
  const parts = {
    providers,
    thirdParties: thirdParty,
    vault,
    relay: createGuardedRelay({ allowLoopback: true }),
  };
  const ground = await (onServers ? startOnServers : startInMemory)({ config, clock, audit, parts });
  const { bus, records } = ground;

  const ask = (changes: Partial<ThirdPartyTokenRequest> = {}) => {
    const { person, resource } = { ...asked, ...changes };
    const request = { ...asked, decisionGrant: `${person} ${resource}`, ...changes };
    return bus.request(requestThirdPartyToken, request, { timeoutMs: 30_000 });
  };
  return {
    publicUrl,
    issuer: config.authorizationServer.issuer,
    clock,
    bus,
    records,
    audit,
    vault,
    thirdParty,
    ask,
    /** Lets time pass for everything that goes by a clock. */
    async passSeconds(seconds: number): Promise<void> {
      clock.advanceSeconds(seconds);
      await ground.passSeconds(seconds);
    },
    /** Forgets every one-time state, as Redis does when it is restarted. */
    loseOneTimeState: () => ground.loseOneTimeState(),
    /** Asks, and gets something to show. */
    async offered(changes: Partial<ThirdPartyTokenRequest> = {}) {
      const answer = await ask(changes);
      if (answer.outcome !== 'interaction_required') throw new Error('a token came without the person');
      return answer.elicitation;
    },
    /** Opens an address as a person does, signing in on the way; stops before the provider if asked. */
    async open(url: string, username: string, browser = new TestBrowser()) {
      const back = await browser.signInAndConsent(url, {
        username,
        stopAt: ({ origin, pathname }) => origin === publicUrl && pathname === '/sign-in/callback',
      });
      return { browser, page: await browser.open(back) };
    },
    /** Answers the question on the page. */
    answer: (
      browser: TestBrowser,
      page: Visit,
      answer: 'allow' | 'deny',
      more: Record<string, string> = {},
    ) => browser.submit(page, { answer, ...more }),
    /** A token that a client gets for itself. */
    async tokenOf(clientId: string): Promise<string> {
      const response = await fetch(`${config.authorizationServer.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${clientId}-secret`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: publicUrl }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    },
    async close(): Promise<void> {
      await ground.close();
      await thirdParty.close();
    },
  };
}
export type ConnectSystem = Awaited<ReturnType<typeof startConnectSystem>>;

interface ToStart {
  config: BehalfConfig;
  clock: FakeClock;
  audit: AuditRecord[];
  parts: NonNullable<Parameters<typeof startElicitation>[1]>;
}

/** What both services stand on in a test. */
interface Ground {
  /** Where the test plays the other services. */
  bus: Bus;
  records: RecordStore;
  /** For what has a clock of its own. */
  passSeconds(seconds: number): Promise<void>;
  loseOneTimeState(): Promise<void>;
  close(): Promise<void>;
}

async function startInMemory({ config, clock, audit, parts }: ToStart): Promise<Ground> {
  const bus = new InProcessBus({ maxInFlight: 100 });
  const records = new MemoryRecordStore(clock, {
    onCommit: (events) => {
      for (const event of events) {
        const contract = contracts.find(({ type }) => type === event.type);
        if (contract) void bus.publish(contract as never, event as EventEnvelope<never>);
      }
    },
  });
  let oneTimeStore: OneTimeStore = new MemoryOneTimeStore(clock);
  const oneTime: OneTimeStore = {
    put: (...parameters) => oneTimeStore.put(...parameters),
    take: (...parameters) => oneTimeStore.take(...parameters),
    claim: (...parameters) => oneTimeStore.claim(...parameters),
  };
  const infrastructure: Infrastructure = {
    config,
    clock,
    records,
    oneTime,
    rateLimiter: new MemoryRateLimiter(clock),
    leases: new MemoryLeaseStore(clock),
    bus,
    events: new MemoryEventLog(records),
    audit: new RememberedAudit(audit),
    keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32).fill(3)),
    logger: createLogger('test', config.logLevel),
  };
  const authorizationServer = await startAuthorizationServer(infrastructure, { environment: {} });
  const service = await startElicitation(infrastructure, parts);
  return {
    bus,
    records,
    passSeconds: async () => {},
    loseOneTimeState: async () => void (oneTimeStore = new MemoryOneTimeStore(clock)),
    close: async () => {
      await service.close();
      await authorizationServer.close();
      await bus.close();
    },
  };
}

async function startOnServers({ config, clock, audit, parts }: ToStart): Promise<Ground> {
  const { authorizationServer, elicitation } = config;
  // Behind balancers, which listen where the configuration says.
  const anywhere = { port: 0 };
  const ports = [authorizationServer.listen.port, elicitation.listen.port];
  const stand = await AppStand.open({ config, clock, ports });
  const told = (infrastructure: Infrastructure): Infrastructure => ({
    ...infrastructure,
    config: {
      ...config,
      authorizationServer: { ...authorizationServer, listen: { ...authorizationServer.listen, ...anywhere } },
      elicitation: { ...elicitation, listen: { ...elicitation.listen, ...anywhere } },
    },
    audit: toldAudit(infrastructure.audit, (record) => audit.push(record)),
  });
  try {
    await stand.start('authorization-server', { port: authorizationServer.listen.port }, (infrastructure) =>
      startAuthorizationServer(told(infrastructure), { environment: {} }),
    );
    await stand.start('elicitation', { port: elicitation.listen.port }, (infrastructure) =>
      startElicitation(told(infrastructure), parts),
    );
    return {
      bus: stand.own.bus,
      records: stand.own.records,
      passSeconds: (seconds) => stand.ageRedis(seconds),
      loseOneTimeState: () => stand.emptyRedis(),
      close: () => stand.close(),
    };
  } catch (error) {
    await stand.close();
    throw error;
  }
}
