import { createHash, randomBytes } from 'node:crypto';
import {
  InProcessBus,
  MemoryEventLog,
  MemoryOneTimeStore,
  MemoryLeaseStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from '@behalf/adapter-memory';
import type { AuditLeaves, AuditLog, AuditRecord } from '@behalf/audit';
import { type BehalfConfig, configSchema } from '@behalf/config';
import { revocationCreated, signingKeysRotated } from '@behalf/contracts';
import type { Bus, EventEnvelope, EventLog, OneTimeStore, RecordStore } from '@behalf/ports';
import { type KeyEncryptionKey, LocalKeyEncryptionKey } from '@behalf/sealing';
import type { Infrastructure, RunningService } from '@behalf/service-kit';
import { type SigningKey, signingKeyKind, SigningKeys } from '@behalf/signing-keys';
import { FakeClock, freePort, RememberedAudit, TestBrowser } from '@behalf/testing';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { AppStand, onServers, toldAudit } from '../../../deploy/fleet/app-stand.fixture.js';
import { type StartOptions, startAuthorizationServer } from '../src/authorization-server.module.js';

export const files = 'http://localhost:4003/mcp/files';
export const whoami = 'http://localhost:4003/mcp/whoami';
export const redirectUri = 'https://client.example.com/callback';

export interface Tokens {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { access_token: string; refresh_token: string; error?: string };
}

/** Overrides of the `authorizationServer` section of the configuration. */
export interface TestServerOptions extends StartOptions {
  server?: Record<string, unknown>;
  gateway?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  /** In place of one that only remembers. */
  auditLog?: AuditLog & AuditLeaves;
  development?: Record<string, unknown>;
  /** Two without it where it stands on servers. One, for who looks into it or changes what it stands on. */
  replicas?: 1;
}

/** What an authorization server stands on in a test. */
interface Ground {
  records: RecordStore;
  oneTime: OneTimeStore;
  bus: Bus;
  events: EventLog;
  service: RunningService;
  /** Where it does not go by the clock of the test. */
  age(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** An authorization server on a free port with a clock to turn: in memory, or on servers. */
export class TestServer {
  readonly browser = new TestBrowser();

  private constructor(
    readonly issuer: string,
    readonly clock: FakeClock,
    /** Everything recorded so far. */
    readonly audit: AuditRecord[],
    private readonly ground: Ground,
  ) {}

  get records(): RecordStore {
    return this.ground.records;
  }

  get oneTime(): OneTimeStore {
    return this.ground.oneTime;
  }

  /** Where the test plays the other services. */
  get bus(): Bus {
    return this.ground.bus;
  }

  get service(): RunningService {
    return this.ground.service;
  }

  /** Moves the clock, and that of the server that counts attempts and keeps what is used once. */
  async passSeconds(seconds: number): Promise<void> {
    this.clock.advanceSeconds(seconds);
    await this.ground.age(seconds);
  }

  /** Every event committed so far. */
  outbox(): Promise<EventEnvelope<unknown>[]> {
    return this.ground.events.after(0, 1_000);
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const given = options.server?.['issuer'] as string | undefined;
    const port = Number(given && new URL(given).port) || (await freePort());
    const issuer = given ?? `http://localhost:${port}`;
    const config = configSchema.parse({
      logLevel: 'silent',
      authorizationServer: {
        issuer,
        scopes: { 'mcp:tools': 'Use its tools', 'files:write': 'Change files' },
        signIn: {
          method: 'local',
          users: ['alice', 'bob'].map((name) => ({
            username: name,
            password: name,
            name: name.toUpperCase(),
            groups: name === 'alice' ? ['eng'] : [],
          })),
        },
        clients: [
          {
            clientId: 'web-app',
            clientName: 'Web <App>',
            demoSecret: 'web-app-secret',
            redirectUris: [redirectUri],
          },
          {
            clientId: 'gateway',
            demoSecret: 'gateway-secret',
            grantTypes: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
            scopes: ['policy:evaluate'],
            exchange: { audiences: ['*'], scopes: ['mcp:tools'] },
          },
          {
            clientId: 'operator',
            demoSecret: 'operator-secret',
            grantTypes: ['client_credentials'],
            scopes: ['admin'],
          },
        ],
        // On servers a balancer listens there, before the replicas.
        listen: { port: onServers ? 0 : port },
        ...options.server,
      },
      ...(options.development && { development: options.development }),
      ...(options.mutualTls && { mutualTls: options.mutualTls }),
      policy: {
        policies: 'unused',
      },
      gateway: {
        clientId: 'gateway',
        demoClientSecret: 'gateway-secret',
        upstreams: {
          files: {
            transport: 'stdio',
            command: 'unused',
            name: 'Files',
            scopes: { tools: { write_file: ['files:write'] } },
          },
          whoami: { transport: 'stdio', command: 'unused' },
        },
        ...options.gateway,
      },
    });
    const clock = new FakeClock(Date.now());
    const audit: AuditRecord[] = [];
    const ground = await (onServers ? startOnServers : startInMemory)(
      { config, clock, audit, port },
      options,
    );
    return new TestServer(issuer, clock, audit, ground);
  }

  close(): Promise<void> {
    return this.ground.close();
  }

  authorizationUrl(parameters: Record<string, string | undefined> = {}): URL {
    const url = new URL(`${this.issuer}/auth`);
    const all = {
      client_id: 'web-app',
      response_type: 'code',
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource: files,
      state: 'the-state',
      ...parameters,
    };
    for (const [name, value] of Object.entries(all))
      if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /** Signs in and consents; the parameters of the authorization response. */
  async authorize(
    parameters: Record<string, string | undefined> = {},
    person: { username?: string; deny?: boolean; browser?: TestBrowser } = {},
  ): Promise<URLSearchParams> {
    const { username = 'alice', browser = this.browser } = person;
    const target = new URL(parameters['redirect_uri'] ?? redirectUri);
    const url = await browser.signInAndConsent(this.authorizationUrl(parameters), {
      username,
      ...(person.deny !== undefined && { deny: person.deny }),
      stopAt: (at) => at.host === target.host && at.pathname === target.pathname,
    });
    return url.searchParams;
  }

  async token(
    parameters: Record<string, string>,
    /** Null for a public client, which says who it is in the body. */
    authorization: string | null = basic('web-app', 'web-app-secret'),
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const response = await this.post('/token', parameters, authorization ?? undefined, headers);
    return {
      status: response.status,
      body: (await response.json()) as Tokens['body'],
      headers: response.headers,
    };
  }

  post(
    path: string,
    parameters: Record<string, string>,
    authorization?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.issuer}${path}`, {
      method: 'POST',
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      body: new URLSearchParams(parameters),
    });
  }

  redeem(
    code: string | null,
    more: Record<string, string> = {},
    authorization?: string | null,
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const parameters = {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: files,
      ...more,
    };
    return this.token(parameters, authorization, headers);
  }

  refresh(
    refreshToken: string,
    more: Record<string, string> = {},
    authorization?: string | null,
    headers: Record<string, string> = {},
  ): Promise<Tokens> {
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken, ...more };
    return this.token(parameters, authorization, headers);
  }

  /** A whole authorization code flow of the configured web client. */
  async signIn(
    parameters: Record<string, string | undefined> = {},
    person: { username?: string; browser?: TestBrowser } = {},
  ): Promise<Tokens['body']> {
    const { body, status } = await this.redeem((await this.authorize(parameters, person)).get('code'));
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body;
  }

  async introspect(token: string, authorization: string): Promise<Record<string, unknown>> {
    const response = await this.post('/introspect', { token }, authorization);
    return (await response.json()) as Record<string, unknown>;
  }

  async claims(accessToken: string): Promise<JWTPayload & Record<string, unknown>> {
    const keys = createRemoteJWKSet(new URL(`${this.issuer}/jwks`));
    const { payload } = await jwtVerify(accessToken, keys, { typ: 'at+jwt', issuer: this.issuer });
    return payload;
  }

  async register(
    metadata: Record<string, unknown>,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}

interface ToStart {
  config: BehalfConfig;
  clock: FakeClock;
  audit: AuditRecord[];
  port: number;
}

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
  const stand = await AppStand.open({ config, clock });
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

export const verifier = randomBytes(32).toString('base64url');
export const challenge = createHash('sha256').update(verifier).digest('base64url');

export function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${secret}`).toString('base64')}`;
}
