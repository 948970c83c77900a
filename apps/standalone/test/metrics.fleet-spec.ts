import { type ServiceName, evaluatePolicy, serviceNames } from '@behalf/contracts';
import { type Sample, freePort, readMetrics, sumOf } from '@behalf/testing';
import { setTimeout } from 'node:timers/promises';
import { documentedMetrics, sampleNames } from '../../../deploy/observability/documented-metrics.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { metadataClientId, requestToken, signIn } from './oauth-client.fixture.js';

const testTimeoutMs = 180_000;
const seenWithinMs = 60_000;

let system: DemoSystem;
let whoami: string;
const ports = {} as Record<ServiceName, number>;
beforeAll(async () => {
  for (const service of serviceNames) ports[service] = await freePort();
  system = await startDemoSystem({
    replicas: 1,
    environmentOf: (service) => ({ METRICS_PORT: String(ports[service]) }),
  });
  if (!system.fleet) throw new Error('this suite is for the fleet: npm run test:failures');
  whoami = system.mcpUrl('whoami');
}, startTimeoutMs);
afterAll(() => system?.close());

const read = (service: ServiceName): Promise<Sample[]> => readMetrics(ports[service]);

async function readAll(): Promise<Record<ServiceName, Sample[]>> {
  const all = await Promise.all(serviceNames.map(async (name) => [name, await read(name)] as const));
  return Object.fromEntries(all) as Record<ServiceName, Sample[]>;
}

/** Resolves with the first reading that is as expected. */
async function seen(what: string, isExpected: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + seenWithinMs;
  while (!(await isExpected())) {
    if (performance.now() > until) throw new Error(`never seen: ${what}`);
    await setTimeout(100);
  }
}

function post(path: string, form: Record<string, string>): Promise<Response> {
  return fetch(`${system.issuer}${path}`, { method: 'POST', body: new URLSearchParams(form) });
}

/** What the gateway does with a token exchanged for the one given. */
const call = (token?: string): Promise<number> =>
  callTool(whoami, 'whoami', {}, { token }).then(({ status }) => status);

it(
  'counts what is asked of each service, by route and by subject, as often as it is asked',
  async () => {
    const { access_token: token } = await signIn(system, { username: 'alice', resource: whoami });
    const { paths } = system.config.authorizationServer;
    // The first call fills what is kept; those after it are counted.
    expect(await call(token)).toBe(200);
    const before = await readAll();
    for (let n = 0; n < 3; n++) expect(await call(token)).toBe(200);
    for (let n = 0; n < 2; n++) expect(await call()).toBe(401);
    expect((await requestToken(system, { grant_type: 'of no kind' })).status).toBe(400);
    expect((await fetch(`${system.gateway}/nowhere`)).status).toBe(404);
    const after = await readAll();
    const counted = (service: ServiceName, name: string, labels: Record<string, string>): number => {
      const own = { service_name: service, ...labels };
      return (sumOf(after[service], name, own) ?? 0) - (sumOf(before[service], name, own) ?? 0);
    };
    const http = (service: ServiceName, route: string, status: string): number =>
      counted(service, 'http_server_request_duration_count', {
        http_request_method: 'POST',
        http_route: route,
        http_response_status_code: status,
      });
    const calls = new URL(whoami).pathname;
    expect([http('gateway', calls, '200'), http('gateway', calls, '401')]).toEqual([3, 2]);
    expect(http('authorization-server', paths.token, '400')).toBe(1);
    const unrouted = (samples: Sample[]): number =>
      samples
        .filter(({ name, labels }) => name === 'http_server_request_duration_count' && !labels['http_route'])
        .reduce((sum, { value }) => sum + value, 0);
    expect(unrouted(after.gateway) - unrouted(before.gateway)).toBe(1);
    const bus = { subject: evaluatePolicy.subject, outcome: 'ok' };
    const name = 'behalf_bus_request_duration_count';
    expect(counted('gateway', name, { ...bus, side: 'ask' })).toBe(3);
    // Others ask, too, and who waits long for an answer asks another one.
    expect(counted('policy', name, { ...bus, side: 'answer' })).toBeGreaterThanOrEqual(3);
  },
  testTimeoutMs,
);

it(
  'shows what waits, and who does not know what is revoked, while the bus is held, and then that it is over',
  async () => {
    const { paths } = system.config.authorizationServer;
    const { access_token: token } = await signIn(system, { username: 'bob', resource: whoami });
    const gauge = async (service: ServiceName, name: string): Promise<number> =>
      sumOf(await read(service), name, { service_name: service }) ?? NaN;
    const waiting = (): Promise<number> => gauge('authorization-server', 'behalf_outbox_waiting');
    const activity = (): Promise<number> => gauge('authorization-server', 'behalf_activity_waiting');
    const lags = (): Promise<number[]> =>
      Promise.all(
        (['gateway', 'policy', 'elicitation'] as const).map((one) => gauge(one, 'behalf_revocation_lag')),
      );
    await seen('nothing waits', async () => (await waiting()) === 0 && (await activity()) === 0);
    await seen('all is known', async () => (await lags()).every((lag) => lag < 5));
    const nats = system.fleet?.servers.nats?.process;
    nats?.suspend();
    try {
      const revoked = await post(paths.revocation, { token, client_id: metadataClientId });
      expect(revoked.status).toBe(200);
      await seen('an event that waits', async () => (await waiting()) >= 1);
      await seen('records that wait', async () => (await activity()) >= 1);
      await seen('what is not known', async () => (await lags()).every((lag) => lag > 6));
    } finally {
      nats?.resume();
    }
    await seen('nothing waits', async () => (await waiting()) === 0 && (await activity()) === 0);
    await seen('all is known', async () => (await lags()).every((lag) => lag < 5));
  },
  testTimeoutMs,
);

it(
  'measures in each service what the documentation says, by those labels, and nothing else',
  async () => {
    const { access_token: token } = await signIn(system, { username: 'alice', resource: whoami });
    // Made new, given out again, and dropped.
    for (let n = 0; n < 2; n++) expect(await call(token)).toBe(200);
    const { paths } = system.config.authorizationServer;
    await post(paths.revocation, { token, client_id: metadataClientId });
    const dropped = 'behalf_exchange_cache_dropped_total';
    await seen('what was dropped', async () =>
      Boolean(sumOf(await read('authorization-server'), dropped, { reason: 'revocation' })),
    );
    // Nobody has asked anything of these over HTTP yet.
    for (const name of ['policy', 'elicitation'] as const) {
      expect((await fetch(`${system.config[name].publicUrl}/healthz`)).status).toBe(200);
      await seen('a request', async () =>
        Boolean(sumOf(await read(name), 'http_server_request_duration_count')),
      );
    }
    const documented = documentedMetrics();
    const all = await readAll();
    for (const service of serviceNames) {
      const own = documented.filter(({ services }) => services.includes(service));
      const names = new Set(all[service].map(({ name }) => name));
      names.delete('target_info');
      expect([service, [...names].toSorted()]).toEqual([service, own.flatMap(sampleNames).toSorted()]);
      for (const metric of own) {
        const labels = all[service]
          .filter(({ name }) => sampleNames(metric).includes(name))
          .flatMap((sample) => Object.keys(sample.labels))
          .filter((label) => label !== 'le');
        expect([metric.name, [...new Set(labels)].toSorted()]).toEqual([
          metric.name,
          metric.labels.toSorted(),
        ]);
      }
    }
  },
  testTimeoutMs,
);
