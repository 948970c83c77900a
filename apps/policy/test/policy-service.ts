import { InProcessBus, MemoryEventLog, MemoryOneTimeStore, MemoryRecordStore } from '@behalf/adapter-memory';
import { SqlAuditLog, migrate, openPglite } from '@behalf/adapter-postgres';
import type { AuditLeaves, AuditLog, AuditRecord } from '@behalf/audit';
import { type BehalfConfig, parseConfig } from '@behalf/config';
import { listRevocations } from '@behalf/contracts';
import { type Bus, type EventLog, type RecordStore, systemClock } from '@behalf/ports';
import { type RunningService, createLogger } from '@behalf/service-kit';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { RememberedAudit, appendedBy } from '@behalf/testing';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppStand, onServers } from '../../../deploy/fleet/app-stand.fixture.js';
import { GrpcServer } from '../src/grpc/grpc-server.js';
import { startPolicy } from '../src/policy.module.js';

/** Fails, or keeps whoever appends waiting, when told to. */
class HeldAudit extends RememberedAudit {
  failing = false;

  #held: { count: number; watch: () => void; released: Promise<void> } | undefined;

  /** Keeps every record waiting until it is released. */
  hold(): { reached(count: number): Promise<void>; release(): void } {
    let release = (): void => {};
    const released = new Promise<void>((done) => (release = done));
    const held = { count: 0, watch: (): void => {}, released };
    this.#held = held;
    return {
      reached: (count) =>
        new Promise((done) => {
          held.watch = () => void (held.count >= count && done());
          held.watch();
        }),
      release: () => {
        this.#held = undefined;
        release();
      },
    };
  }

  override append(record: AuditRecord): Promise<void> {
    return this.#append(record, async () => {});
  }

  /** Another log, which it stands in front of. */
  before(log: AuditLog & AuditLeaves): AuditLog & AuditLeaves {
    return appendedBy((record, onPlaced) => this.#append(record, () => log.append(record, onPlaced)), log);
  }

  async #append(record: AuditRecord, append: () => Promise<void>): Promise<void> {
    if (this.failing) throw new Error('disk full');
    const held = this.#held;
    if (held !== undefined) {
      held.count += 1;
      held.watch();
      await held.released;
    }
    await append();
    await super.append(record);
  }
}

export interface ServiceChange {
  allowUnauthenticatedLoopback?: boolean;
  publicUrl?: string;
  /** Instead of the demo policies. */
  policies?: string;
  requestTimeoutSeconds?: number;
  /** Further settings of `policy` in the configuration. */
  settings?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  /** Shared with others, who close it; without it there is one in this process. */
  bus?: Bus;
  records?: MemoryRecordStore;
  /** Decisions are in a log in a database, and answers say where. */
  receipts?: true;
  /** Two without it where it stands on servers. One, for who looks into it or asks it over gRPC. */
  replicas?: 1;
}

/** What the service stands on in a test. */
interface Ground {
  service: RunningService;
  url: string;
  /** Where the test plays the other services. */
  bus: Bus;
  records: RecordStore;
  events: EventLog;
  /** With receipts, where the records are. */
  log?: AuditLeaves;
  close(): Promise<void>;
}

/** The policy service on a copy of the demo policies, beside an issuer that is only a key. */
export async function startPolicyService(change: ServiceChange = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-policy-'));
  await cp(resolve(change.policies ?? 'deploy/demo/policies'), folder, { recursive: true });
  const issuer = await startIssuer();
  const publicUrl = change.publicUrl ?? 'https://pdp.example';
  const config = parseConfig(
    {
      logLevel: 'silent',
      ...(change.requestTimeoutSeconds && { requestTimeoutSeconds: change.requestTimeoutSeconds }),
      authorizationServer: { issuer: issuer.url, signIn: { method: 'local', users: [] } },
      policy: {
        listen: { port: 0 },
        publicUrl,
        policies: folder,
        allowUnauthenticatedLoopback: change.allowUnauthenticatedLoopback,
        ...change.settings,
      },
      ...(change.mutualTls && { mutualTls: change.mutualTls }),
      audit: { receipts: change.receipts === true },
      gateway: { clientId: 'demo-gateway', upstreams: {} },
    },
    process.env,
  );
  const audit = new HeldAudit();
  const isOnServers = onServers && change.bus === undefined && change.records === undefined;
  const ground = await (isOnServers ? startOnServers : startInMemory)(config, audit, change);
  const { service } = ground;
  return {
    folder,
    publicUrl,
    url: ground.url,
    /** Undefined when gRPC is off. */
    grpcPort: service.app.get(GrpcServer).port,
    issuer: issuer.url,
    app: service.app,
    audit,
    log: ground.log,
    bus: ground.bus,
    records: ground.records,
    /** Every event committed so far. */
    outbox: () => ground.events.after(0, 1_000),
    sign: issuer.sign,
    issuerAnswers: issuer.answerTokens,
    async close(): Promise<void> {
      await ground.close();
      issuer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type PolicyService = Awaited<ReturnType<typeof startPolicyService>>;

async function startInMemory(
  config: BehalfConfig,
  audit: RememberedAudit,
  change: ServiceChange,
): Promise<Ground> {
  const bus = change.bus ?? new InProcessBus({ maxInFlight: 64 });
  const revocations = bus.handle(listRevocations, noRevocations);
  const database = change.receipts && (await openLog());
  const records = change.records ?? new MemoryRecordStore(systemClock);
  const service = await startPolicy({
    config,
    clock: systemClock,
    records,
    oneTime: new MemoryOneTimeStore(systemClock),
    rateLimiter: undefined as never,
    leases: undefined as never,
    bus,
    events: undefined as never,
    audit: database?.log ?? audit,
    keyEncryptionKey: new LocalKeyEncryptionKey(randomBytes(32)),
    logger: createLogger('policy', 'silent'),
  });
  return {
    service,
    url: service.url,
    bus,
    records,
    events: new MemoryEventLog(records),
    ...(database && { log: database.log }),
    async close(): Promise<void> {
      await service.close();
      await database?.close();
      await revocations.drain();
      if (change.bus === undefined) await bus.close();
    },
  };
}

async function startOnServers(
  config: BehalfConfig,
  audit: HeldAudit,
  { replicas: count, receipts }: ServiceChange,
): Promise<Ground> {
  const stand = await AppStand.open({ config, clock: systemClock });
  try {
    const { bus, records, events } = stand.own;
    bus.handle(listRevocations, noRevocations);
    await bus.announced();
    const { replicas, url } = await stand.start('policy', { count }, (infrastructure) =>
      startPolicy({
        ...infrastructure,
        audit: receipts ? infrastructure.audit : audit.before(infrastructure.audit),
      }),
    );
    const [service] = replicas;
    if (!service) throw new Error('no replica was started');
    const log = receipts && { log: stand.own.audit };
    return { service, url, bus, records, events, ...log, close: () => stand.close() };
  } catch (error) {
    await stand.close();
    throw error;
  }
}

/** A log in a database in this process. */
async function openLog(): Promise<{ log: SqlAuditLog; close: () => Promise<void> }> {
  const database = await openPglite('memory://');
  await migrate(database.db);
  const log = new SqlAuditLog(database.db, { maxWaiting: 1000 });
  const close = async (): Promise<void> => {
    await log.idle();
    await database.close();
  };
  return { log, close };
}

const noRevocations = async () => ({ revocations: [], more: false });

/** What the token endpoint answers to a form; undefined is a refusal. */
type TokenAnswer = (form: URLSearchParams) => object | undefined;

async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] };
  let tokenAnswer: TokenAnswer = () => undefined;
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.method !== 'POST') return void response.end(JSON.stringify(keys));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = tokenAnswer(new URLSearchParams(Buffer.concat(chunks).toString()));
      response.writeHead(answer ? 200 : 400).end(JSON.stringify(answer ?? { error: 'access_denied' }));
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: url, sub: 'gw', client_id: 'gw', jti: 'j', scope: 'policy:evaluate', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
  return {
    url,
    sign,
    answerTokens: (answer: TokenAnswer) => void (tokenAnswer = answer),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
