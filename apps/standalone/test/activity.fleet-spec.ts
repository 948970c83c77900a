import { activityOf } from '@behalf/activity';
import { NatsBus } from '@behalf/adapter-nats';
import { SqlAuditLog, openPostgres } from '@behalf/adapter-postgres';
import { originOf } from '@behalf/audit';
import { clientRegistered, decisionMade, tokenExchanged, tokenIssued, tokenRefused } from '@behalf/contracts';
import type { EventContract, EventEnvelope, Publication } from '@behalf/ports';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Fleet } from '../../../deploy/fleet/start-fleet.js';
import { loadOrCreateServiceKeys } from '../../../deploy/nats/service-keys.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { redirectUri, register, requestToken, signIn } from './oauth-client.fixture.js';

const testTimeoutMs = 180_000;
/** A teller that was killed keeps its place for some seconds. */
const toldWithinMs = 60_000;
const everyKind: EventContract<unknown>[] = [
  tokenIssued,
  tokenExchanged,
  tokenRefused,
  clientRegistered,
  decisionMade,
];

let system: DemoSystem;
let fleet: Fleet;
let observer: NatsBus;
/** What an observer has heard of each kind, as it came, but for what has come before under the same id. */
const heard = new Map(everyKind.map(({ type }) => [type, new Map<string, EventEnvelope<unknown>>()]));

beforeAll(async () => {
  system = await startDemoSystem();
  if (!system.fleet?.servers.nats) throw new Error('this suite is for the fleet: npm run test:failures');
  ({ fleet } = system);
  const { seeds } = await loadOrCreateServiceKeys(join(system.config.dataFolder, 'servers', 'nats-keys'));
  observer = await NatsBus.open({
    url: system.fleet.servers.nats.url,
    service: 'observer',
    nkeySeed: seeds.observer,
    maxInFlight: 10,
    ownsEvents: false,
  });
  for (const contract of everyKind)
    observer.subscribe(contract, (event) => {
      const ofItsKind = heard.get(event.type);
      if (!ofItsKind?.has(event.id)) ofItsKind?.set(event.id, event);
    });
}, startTimeoutMs);
afterAll(async () => {
  await observer?.close();
  await system?.close();
});

/** What people and programs do, and what of it was answered as done. Whoever was with a process that is killed tries no more. */
class Traffic {
  readonly registered: string[] = [];
  signedIn = 0;
  called = 0;
  refused = 0;

  async round(): Promise<void> {
    await Promise.allSettled([this.#register(), this.#refuse(), this.#signInAndCall()]);
  }

  async #register(): Promise<void> {
    const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
    const { status, body } = await register(system, metadata);
    if (status === 201) this.registered.push(body.client_id);
  }

  async #refuse(): Promise<void> {
    const { status } = await requestToken(
      system,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'not.a.token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: system.mcpUrl('whoami'),
      },
      { clientId: 'demo-agent', secret: 'demo-agent-secret' },
    );
    if (status === 400) this.refused++;
  }

  async #signInAndCall(): Promise<void> {
    const url = system.mcpUrl('whoami');
    const { access_token: token } = await signIn(system, { username: 'alice', resource: url });
    this.signedIn++;
    for (let n = 0; n < 4; n++)
      if ((await callTool(url, 'whoami', {}, { token })).status === 200) this.called++;
  }
}

/** What the audit log has recorded that is to be told, in its order. */
async function recorded(): Promise<Publication[]> {
  const opened = openPostgres(fleet.servers.postgres?.url ?? '', { name: 'test' });
  try {
    const log = new SqlAuditLog(opened.db, { maxWaiting: 1 });
    const { size } = await log.head();
    const origin = originOf(system.config.authorizationServer.issuer);
    const leaves: string[] = [];
    while (leaves.length < size) leaves.push(...(await log.leaves(leaves.length, 500)));
    return leaves.map((leaf, index) => activityOf(leaf, index, origin)).filter((one) => one !== undefined);
  } finally {
    await opened.close();
  }
}

const heardInAll = (): number => [...heard.values()].reduce((sum, { size }) => sum + size, 0);

/** Resolves with all that was recorded, when as much was heard; with what there is when that takes too long. */
async function whenTold(): Promise<Publication[]> {
  const until = performance.now() + toldWithinMs;
  for (;;) {
    const expected = await recorded();
    if (heardInAll() >= expected.length || performance.now() > until) return expected;
    await setTimeout(200);
  }
}

it(
  'tells all that is recorded, in order and once, although who tells it is killed meanwhile',
  async () => {
    const traffic = new Traffic();
    await traffic.round();
    await whenTold();
    // One of these is at the telling now; the other one goes on, and is killed, too.
    for (const replica of fleet.services['authorization-server']) {
      const flowing = Promise.all([traffic.round(), traffic.round()]);
      await setTimeout(300);
      await replica.kill();
      await flowing;
      await traffic.round();
      await replica.start();
      await traffic.round();
    }
    const expected = await whenTold();
    for (const { type } of everyKind) {
      const ofItsKind = expected.filter(({ contract }) => contract.type === type);
      expect([...(heard.get(type)?.values() ?? [])]).toEqual(
        ofItsKind.map(({ envelope }) => JSON.parse(JSON.stringify(envelope)) as unknown),
      );
    }
    // What was answered as done is among it.
    const told = <T>({ type }: EventContract<T>): T[] =>
      [...(heard.get(type)?.values() ?? [])].map(({ data }) => data as T);
    const clients = told(clientRegistered).map(({ client }) => client);
    expect(clients).toEqual(expect.arrayContaining(traffic.registered));
    expect(traffic.registered.length).toBeGreaterThanOrEqual(3);
    expect(new Set(clients).size).toBe(clients.length);
    const ofAlice = ({ person }: { person?: string | undefined }): boolean => person === 'alice';
    expect(told(tokenIssued).filter(ofAlice).length).toBeGreaterThanOrEqual(traffic.signedIn);
    expect(traffic.signedIn).toBeGreaterThanOrEqual(3);
    const permitted = told(decisionMade).filter(({ isPermitted }) => isPermitted);
    expect(permitted.filter(ofAlice).length).toBeGreaterThanOrEqual(traffic.called);
    expect(traffic.called).toBeGreaterThanOrEqual(8);
    expect(told(tokenExchanged).filter(ofAlice).length).toBeGreaterThanOrEqual(1);
    const refusals = told(tokenRefused).filter(({ request }) => request === 'token_exchange');
    expect(refusals.length).toBeGreaterThanOrEqual(traffic.refused);
    expect(traffic.refused).toBeGreaterThanOrEqual(3);
  },
  testTimeoutMs,
);
