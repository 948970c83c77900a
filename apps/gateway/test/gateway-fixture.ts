import { InProcessBus, MemoryOneTimeStore } from '@behalf/adapter-memory';
import { parseConfig } from '@behalf/config';
import {
  type Evaluation,
  type EvaluationDecision,
  evaluatePolicy,
  evaluatePolicyBatch,
  listRevocations,
} from '@behalf/contracts';
import { type OneTimeStore, type Subscription, systemClock } from '@behalf/ports';
import { type Infrastructure, createLogger } from '@behalf/service-kit';
import { startGateway } from '../src/gateway.module.js';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.js';

export const publicUrl = 'http://localhost:4003';

export interface GatewayChange {
  upstreams: Record<string, unknown>;
  gateway?: Record<string, unknown>;
  /** Further settings of `policy` in the configuration. */
  policy?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  issuer?: FakeIssuer;
  decide?: (evaluation: Evaluation) => EvaluationDecision;
  /** Shared with other gateways. */
  oneTime?: OneTimeStore;
}

/** Permits everything but what is called `forbidden…`. */
export const permitUnlessForbidden = ({ resource }: Evaluation): EvaluationDecision =>
  resource.id.startsWith('forbidden')
    ? { decision: false, context: { id: 'decision-1', reason: 'forbidden' } }
    : { decision: true, context: { id: 'decision-0', reason: 'permitted' } };

/** The gateway over real HTTP, with an issuer and a policy service of the test's own. */
export async function startTestGateway(change: GatewayChange) {
  const { upstreams, gateway, issuer: given, decide } = change;
  const issuer = given ?? (await startFakeIssuer());
  const bus = new InProcessBus({ maxInFlight: 64 });
  const policy = fakePolicy(bus, decide ?? permitUnlessForbidden);
  bus.handle(listRevocations, async () => ({ revocations: [], more: false }));
  const config = parseConfig(
    {
      logLevel: process.env['TEST_LOG'] ?? 'silent',
      authorizationServer: { issuer: issuer.url, signIn: { method: 'local', users: [] } },
      ...(change.mutualTls && { mutualTls: change.mutualTls }),
      policy: { policies: '.', ...change.policy },
      gateway: {
        listen: { port: 0 },
        clientId: 'demo-gateway',
        demoClientSecret: 's:e c',
        publicUrl,
        ...gateway,
        upstreams,
      },
    },
    {},
  );
  const unused = undefined as never;
  const infrastructure: Infrastructure = {
    config,
    clock: systemClock,
    records: unused,
    oneTime: change.oneTime ?? new MemoryOneTimeStore(systemClock),
    rateLimiter: unused,
    leases: unused,
    bus,
    events: unused,
    audit: unused,
    keyEncryptionKey: unused,
    logger: createLogger('gateway', 'silent'),
  };
  const service = await startGateway(infrastructure);
  return {
    issuer,
    bus,
    policy,
    service,
    url: service.url,
    /** A token for one upstream. */
    tokenFor: (upstream: string, claims: Record<string, unknown> = {}) =>
      issuer.sign({ aud: `${publicUrl}/mcp/${upstream}`, ...claims }),
    async close(): Promise<void> {
      await service.close();
      await bus.close();
      if (given === undefined) issuer.close();
    },
  };
}
export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;

function fakePolicy(bus: InProcessBus, decide: (evaluation: Evaluation) => EvaluationDecision) {
  const asked: Evaluation[] = [];
  let subscriptions: Subscription[] = [];
  const up = (): void => {
    subscriptions = [
      bus.handle(evaluatePolicy, async (evaluation) => {
        asked.push(evaluation);
        return decide(evaluation);
      }),
      bus.handle(evaluatePolicyBatch, async ({ evaluations = [], ...defaults }) => ({
        evaluations: evaluations.map((item) => decide({ ...defaults, ...item } as Evaluation)),
      })),
    ];
  };
  up();
  return {
    asked,
    up,
    down: async (): Promise<void> => {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    },
  };
}
