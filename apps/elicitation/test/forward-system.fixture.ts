import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AuditRecord } from '@behalf/audit';
import { configSchema } from '@behalf/config';
import {
  type Evaluation,
  type EvaluationDecision,
  type Revocation,
  describeChain,
  evaluatePolicy,
  listRevocations,
  revocationCreated,
} from '@behalf/contracts';
import { agreeToElicitation, completeElicitation, openElicitation } from '@behalf/elicitation';
import type { Bus } from '@behalf/ports';
import { FakeClock, freePort, startFakeProvider, testKeys } from '@behalf/testing';
import type { Forwarding, ProviderWebhook } from '@behalf/third-party';
import { VaultOperator } from '@behalf/vault';
import { TestPolicy, acmeProvider, connect } from '../../../libs/vault/src/vault.fixture.js';
import { startForwardGround } from './forward-ground.fixture.js';
import { type Answer, type RawOptions, requestRaw } from './request-raw.fixture.js';

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
  const ground = await startForwardGround({
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
    requestRaw(port, `/forward/acme/${path}`, {
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
    raw: (path: string, options?: RawOptions) => requestRaw(port, path, options),
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
