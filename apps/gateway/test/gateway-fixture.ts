import { InProcessBus, MemoryOneTimeStore } from '@behalf/adapter-memory';
import { type BehalfConfig, parseConfig } from '@behalf/config';
import {
  type Evaluation,
  type EvaluationDecision,
  evaluatePolicy,
  evaluatePolicyBatch,
  listRevocations,
} from '@behalf/contracts';
import { type Bus, type OneTimeStore, type Subscription, systemClock } from '@behalf/ports';
import { type RunningService, createLogger } from '@behalf/service-kit';
import { AppStand, onServers } from '../../../deploy/fleet/app-stand.fixture.js';
import { startGateway } from '../src/gateway.module.js';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.js';

export const publicUrl = 'http://localhost:4003';

export interface GatewayChange {
  upstreams: Record<string, unknown>;
  gateway?: Record<string, unknown>;
  /** Further settings of `policy` in the configuration. */
  policy?: Record<string, unknown>;
  mutualTls?: Record<string, unknown>;
  /** Where the secrets are that the configuration names. */
  environment?: Record<string, string>;
  issuer?: FakeIssuer;
  decide?: (evaluation: Evaluation) => EvaluationDecision;
  /** Shared with other gateways. */
  oneTime?: OneTimeStore;
  /** Two without it where it stands on servers. One, for who ends it or counts the programs that it starts. */
  replicas?: 1;
}

/** Permits everything but what is called `forbidden…`. */
export const permitUnlessForbidden = ({ resource }: Evaluation): EvaluationDecision =>
  resource.id.startsWith('forbidden')
    ? { decision: false, context: { id: 'decision-1', reason: 'forbidden' } }
    : { decision: true, context: { id: 'decision-0', reason: 'permitted' } };

/** The gateway over real HTTP, with an issuer and a policy service of the test's own. */
export async function startTestGateway(change: GatewayChange) {
  const { upstreams, gateway, issuer: given, decide, environment = {} } = change;
  const issuer = given ?? (await startFakeIssuer());
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
    environment,
  );
  const ground = await (onServers ? startOnServers : startInMemory)(config, change);
  const { bus, url, service } = ground;
  const policy = await fakePolicy(bus, decide ?? permitUnlessForbidden);
  return {
    issuer,
    bus,
    policy,
    service,
    url,
    /** A token for one upstream. */
    tokenFor: (upstream: string, claims: Record<string, unknown> = {}) =>
      issuer.sign({ aud: `${publicUrl}/mcp/${upstream}`, ...claims }),
    async close(): Promise<void> {
      await ground.close();
      if (given === undefined) issuer.close();
    },
  };
}
export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;

interface Ground {
  service: RunningService;
  url: string;
  /** Where the test plays the other services. */
  bus: Bus;
  close(): Promise<void>;
}

async function startInMemory(
  config: BehalfConfig,
  { oneTime, environment = {} }: GatewayChange,
): Promise<Ground> {
  const bus = new InProcessBus({ maxInFlight: 64 });
  bus.handle(listRevocations, noRevocations);
  const unused = undefined as never;
  const infrastructure = {
    config,
    clock: systemClock,
    records: unused,
    oneTime: oneTime ?? new MemoryOneTimeStore(systemClock),
    rateLimiter: unused,
    leases: unused,
    bus,
    events: unused,
    audit: unused,
    keyEncryptionKey: unused,
    logger: createLogger('gateway', 'silent'),
  };
  const service = await startGateway(infrastructure, { environment });
  const close = async (): Promise<void> => {
    await service.close();
    await bus.close();
  };
  return { service, url: service.url, bus, close };
}

async function startOnServers(
  config: BehalfConfig,
  { oneTime, replicas: count, environment = {} }: GatewayChange,
): Promise<Ground> {
  const { listen } = config.gateway;
  const ports = listen.port > 0 ? [listen.port] : [];
  const stand = await AppStand.open({ config, clock: systemClock, ports });
  try {
    const { bus } = stand.own;
    bus.handle(listRevocations, noRevocations);
    await bus.announced();
    const inside = { ...config, gateway: { ...config.gateway, listen: { ...listen, port: 0 } } };
    const at = { count, ...(listen.port > 0 && { port: listen.port }) };
    const { replicas, url } = await stand.start('gateway', at, (infrastructure) =>
      startGateway({ ...infrastructure, config: inside, ...(oneTime && { oneTime }) }, { environment }),
    );
    const [service] = replicas;
    if (!service) throw new Error('no replica was started');
    return { service, url, bus, close: () => stand.close() };
  } catch (error) {
    await stand.close();
    throw error;
  }
}

const noRevocations = async () => ({ revocations: [], more: false });

async function fakePolicy(bus: Bus, decide: (evaluation: Evaluation) => EvaluationDecision) {
  const asked: Evaluation[] = [];
  let subscriptions: Subscription[] = [];
  const up = async (): Promise<void> => {
    subscriptions = [
      bus.handle(evaluatePolicy, async (evaluation) => {
        asked.push(evaluation);
        return decide(evaluation);
      }),
      bus.handle(evaluatePolicyBatch, async ({ evaluations = [], ...defaults }) => ({
        evaluations: evaluations.map((item) => decide({ ...defaults, ...item } as Evaluation)),
      })),
    ];
    await bus.announced();
  };

  await up();
  return {
    asked,
    up,
    down: async (): Promise<void> => {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    },
  };
}
