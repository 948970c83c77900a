import { VaultOperator } from '@behalf/vault';
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
import { type BehalfConfig, configSchema } from '@behalf/config';
import {
  type Evaluation,
  type EvaluationDecision,
  type Revocation,
  agentSuspended,
  connectionChanged,
  describeChain,
  elicitationChanged,
  evaluatePolicy,
  listRevocations,
  revocationCreated,
} from '@behalf/contracts';
import { agreeToElicitation, completeElicitation, openElicitation } from '@behalf/elicitation';
import type { Bus, EventEnvelope, RecordStore } from '@behalf/ports';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { type Infrastructure, createLogger } from '@behalf/service-kit';
import type { Forwarding, OAuthProvider, ProviderWebhook } from '@behalf/third-party';
import { FakeClock, freePort, startFakeProvider, testKeys } from '@behalf/testing';
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type RequestListener, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppStand, onServers, toldAudit } from '../../../deploy/fleet/app-stand.fixture.js';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
} from '../../../libs/vault/src/vault.fixture.js';
import { startElicitation } from '../src/elicitation.module.js';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: () => Record<string, unknown>;
}

/**
 * The elicitation service over real HTTP with its vault and a third party with an API of its own; issuer and policy are
 * the test's.
 */
export async function startForwardSystem() {
  const [keys, policy, acme, port] = await Promise.all([
    testKeys(),
    TestPolicy.create(),
    startFakeProvider({ refreshTokens: 'rotating' }),
    freePort(),
  ]);
  const publicUrl = `http://localhost:${port}`;
  const issuer = await serve((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(keys.publicJwks()));
  });
  const seen: IncomingMessage[] = [];
  let answer: RequestListener = (_request, response) => void response.end('{"ok":true}');
  const listener: RequestListener = (request, response) => {
    seen.push(request);
    answer(request, response);
  };
  const [api, elsewhere] = [await serve(listener), await serve(listener)];
  const forwarding: Forwarding = {
    rules: [
      { origin: api.url, methods: ['GET', 'HEAD'], paths: ['/user', '/files/**'], scopes: ['read'] },
      { origin: api.url, methods: ['POST'], paths: ['/files/*'], scopes: ['write'] },
      { origin: api.url, methods: ['GET'], paths: ['/open'], scopes: [] },
    ],
    requestHeaders: [],
    responseHeaders: [],
    maxRequestBytes: 1_000,
    maxResponseBytes: 10_000,
    timeoutMs: 60_000,
  };
  const webhook: ProviderWebhook = {
    secret: 'hush',
    signature: {
      header: 'x-acme-signature',
      algorithm: 'sha256',
      encoding: 'hex',
      prefix: '',
      signedPrefix: '',
      timestampHeader: undefined,
    },
    deliveryHeader: 'x-acme-delivery',
    revoked: { headers: {}, body: { action: 'revoked' } },
    account: 'account.id',
    challenge: undefined,
  };
  const provider = { ...acmeProvider(acme), forwarding, webhook };
  const config = configSchema.parse({
    logLevel: process.env['TEST_LOG'] ?? 'silent',
    authorizationServer: { issuer: issuer.url, signIn: { method: 'local', users: [] } },
    policy: { policies: 'unused' },
    gateway: { clientId: 'gateway', upstreams: {} },
    elicitation: { listen: { port }, publicUrl, client: { id: 'connections', demoSecret: 'secret' } },
  });

  const clock = new FakeClock(Date.now());
  const audited: AuditRecord[] = [];
  const waiting: { matches: (record: AuditRecord) => boolean; resolve: () => void }[] = [];
  let isRecording = true;
  const asked: Evaluation[] = [];
  let decide: (evaluation: Evaluation) => EvaluationDecision = () => ({
    decision: true,
    context: { id: 'd-1' },
  });
  const revocations: Revocation[] = [];
  const playOthers = async (bus: Bus): Promise<void> => {
    bus.handle(listRevocations, async () => ({ revocations, more: false }));
    bus.handle(describeChain, async ({ clientId }) => ({ client: `who began with ${clientId}`, names: {} }));
    bus.handle(evaluatePolicy, async (evaluation) => {
      asked.push(evaluation);
      const decided = decide(evaluation);
      if (!decided.decision) return decided;
      const { scope } = evaluation.context ?? {};
      const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
      const decision_grant = await policy.grant(evaluation.subject.id, {
        scopes,
        resource: evaluation.resource.id,
      });
      return { ...decided, context: { ...decided.context, decision_grant } };
    });
    await bus.announced();
  };
  const ground = await (onServers ? startOnServers : startInMemory)({
    config,
    clock,
    policy,
    provider,
    playOthers,
    checkRecording: () => {
      if (!isRecording) throw new Error('disk full');
    },
    onRecorded: (record) => {
      audited.push(record);
      for (const { matches, resolve } of waiting) if (matches(record)) resolve();
    },
  });
  const { bus, records, vault } = ground;
  const operator = new VaultOperator(vault);

  const { host } = new URL(api.url);
  /** A token of alice's for this API, through an agent. */
  const token = (claims: Record<string, unknown> = {}): Promise<string> => {
    const now = Math.floor(clock.nowMs() / 1000);
    return keys.sign(
      {
        iss: issuer.url,
        aud: `${publicUrl}/forward/acme`,
        sub: 'alice',
        client_id: 'agent',
        act: { sub: 'agent' },
        scope: 'forward read write',
        grant_id: 'grant-1',
        jti: randomUUID(),
        iat: now,
        exp: now + 300,
        ...claims,
      },
      { typ: 'at+jwt' },
    );
  };
  const call = async (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string; token?: string } = {},
  ): Promise<Answer> =>
    raw(port, `/forward/acme/${path}`, {
      ...options,
      headers: { authorization: `Bearer ${options.token ?? (await token())}`, ...options.headers },
    });
  return {
    publicUrl,
    port,
    /** `127.0.0.1:<port>` of the API, as it stands in paths. */
    host,
    api: api.url,
    elsewhere: elsewhere.url,
    acme,
    clock,
    bus,
    records,
    vault,
    operator,
    policy,
    asked,
    audited,
    seen,
    token,
    call,
    raw: (path: string, options?: RawOptions) => raw(port, path, options),
    answerWith: (with_: RequestListener) => void (answer = with_),
    decideWith: (with_: typeof decide) => void (decide = with_),
    /** Resolves when such a record has been written. */
    recorded: (matches: (record: AuditRecord) => boolean): Promise<void> =>
      new Promise((resolve) => void waiting.push({ matches, resolve })),
    recording: (is: boolean) => void (isRecording = is),
    async revoke(revocation: Pick<Revocation, 'kind' | 'id'>): Promise<void> {
      const data = { ...revocation, revokedAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 600_000 };
      revocations.push(data);
      await records.transaction((transaction) => transaction.emit(revocationCreated, data));
    },
    /** Connects the account of a person, who then agrees to what they are asked. */
    async lend(person = 'alice'): Promise<string> {
      const { accessToken } = await connect(vault, acme, person);
      const calls = [
        { path: 'user', method: 'GET' },
        { path: 'files/x', method: 'POST' },
      ];
      for (const { path, method } of calls) {
        const refused = await call(`${host}/${path}`, { method, token: await token({ sub: person }) });
        const at = { id: String(refused.json()['elicitation_id']), person, nowMs: clock.nowMs() };
        await openElicitation(at, records);
        const { version } = await agreeToElicitation(at, records);
        await completeElicitation({ ...at, version }, records);
      }
      return accessToken;
    },
    async close(): Promise<void> {
      await ground.close();
      await Promise.all([acme.close(), issuer.close(), api.close(), elsewhere.close()]);
    },
  };
}
export type ForwardSystem = Awaited<ReturnType<typeof startForwardSystem>>;

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
  const stand = await AppStand.open({ config, clock });
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

export interface RawOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Called with each piece of the answer. */
  onData?: (text: string) => void;
}

/** A request whose path nobody normalises on the way. */
function raw(
  port: number,
  path: string,
  { method = 'GET', headers, body, onData }: RawOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: 'localhost', path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        onData?.(chunk.toString());
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
