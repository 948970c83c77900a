import { InProcessBus, MemoryOneTimeStore, MemoryRecordStore } from '@behalf/adapter-memory';
import type { AuditLeaves, AuditLog, AuditRecord, TreeHead } from '@behalf/audit';
import { parseConfig } from '@behalf/config';
import { listRevocations } from '@behalf/contracts';
import { type Bus, systemClock } from '@behalf/ports';
import { type Infrastructure, createLogger } from '@behalf/service-kit';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GrpcServer } from '../src/grpc/grpc-server.js';
import { startPolicy } from '../src/policy.module.js';

/** Keeps records in memory, and fails when told to. */
export class RememberedAudit implements AuditLog, AuditLeaves {
  readonly records: AuditRecord[] = [];
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

  async append(record: AuditRecord): Promise<void> {
    if (this.failing) throw new Error('disk full');
    const held = this.#held;
    if (held !== undefined) {
      held.count += 1;
      held.watch();
      await held.released;
    }
    this.records.push(record);
  }

  async head(): Promise<TreeHead> {
    return { size: 0, root: new Uint8Array(32) };
  }

  async leaves(): Promise<string[]> {
    return [];
  }

  async tileRoots(): Promise<Uint8Array[]> {
    return [];
  }

  async latest(limit: number): Promise<AuditRecord[]> {
    return this.records.toReversed().slice(0, limit);
  }
}

export interface ServiceChange {
  allowUnauthenticatedLoopback?: boolean;
  publicUrl?: string;
  /** Instead of the demo policies. */
  policies?: string;
  /** Further settings of `policy` in the configuration. */
  settings?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  /** Shared with others, who close it; without it there is one in this process. */
  bus?: Bus;
  records?: MemoryRecordStore;
  /** In place of one that only remembers; answers then say where they are recorded. */
  auditLog?: AuditLog & AuditLeaves;
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
      authorizationServer: { issuer: issuer.url, signIn: { method: 'local', users: [] } },
      policy: {
        listen: { port: 0 },
        publicUrl,
        policies: folder,
        allowUnauthenticatedLoopback: change.allowUnauthenticatedLoopback,
        ...change.settings,
      },
      ...(change.mutualTls && { mutualTls: change.mutualTls }),
      audit: { receipts: change.auditLog !== undefined },
      gateway: { clientId: 'demo-gateway', upstreams: {} },
    },
    process.env,
  );
  const audit = new RememberedAudit();
  const bus = change.bus ?? new InProcessBus({ maxInFlight: 64 });
  const revocations = bus.handle(listRevocations, async () => ({ revocations: [], more: false }));
  const records = change.records ?? new MemoryRecordStore(systemClock);
  const infrastructure: Infrastructure = {
    config,
    clock: systemClock,
    records,
    oneTime: new MemoryOneTimeStore(systemClock),
    rateLimiter: undefined as never,
    leases: undefined as never,
    bus,
    events: undefined as never,
    audit: change.auditLog ?? audit,
    keyEncryptionKey: new LocalKeyEncryptionKey(randomBytes(32)),
    logger: createLogger('policy', 'silent'),
  };
  const service = await startPolicy(infrastructure);
  return {
    folder,
    publicUrl,
    url: service.url,
    /** Undefined when gRPC is off. */
    grpcPort: service.app.get(GrpcServer).port,
    issuer: issuer.url,
    app: service.app,
    audit,
    bus,
    records,
    sign: issuer.sign,
    issuerAnswers: issuer.answerTokens,
    async close(): Promise<void> {
      await service.close();
      await revocations.drain();
      if (change.bus === undefined) await bus.close();
      issuer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type PolicyService = Awaited<ReturnType<typeof startPolicyService>>;

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
