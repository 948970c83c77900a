import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type ServiceName, evaluatePolicy } from '@behalf/contracts';
import { FaultyProxy, type LocalServer, type ServerProcess, faults, startRedis } from '@behalf/local-servers';
import { SmallDisk, freePort, itOnSmallDisk } from '@behalf/testing';
import { connect, headers, nkeyAuthenticator } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Fleet } from '../../../deploy/fleet/start-fleet.js';
import type { ServerName } from '../../../deploy/fleet/start-servers.js';
import { loadOrCreateServiceKeys } from '../../../deploy/nats/service-keys.js';
import { browse } from './browse.fixture.js';
import {
  type DemoSystem,
  demoConfigOnFreePorts,
  startDemoSystem,
  startTimeoutMs,
} from './demo-system.fixture.js';
import { type FaultOutcome, printFaultTable, refusedInside, statusWithin } from './fault-table.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { authorizationRequest, formOf, metadataClientId, redeem, signIn } from './oauth-client.fixture.js';

/** Whatever is broken, a caller has an answer in this time, and the system is whole again in the other. */
const answerWithinMs = 20_000;
const recoverWithinMs = 60_000;
const revokedWithinMs = 20_000;
const loadForMs = 1_500;
const rowTimeoutMs = 180_000;
const diskMegabytes = 192;
/** Each way. To redeem a code the database is asked some thirty times, one after the other. */
const slowMs = 100;
/** So slow that these take longer than a request may, although none of them takes as long as a statement may. */
const verySlowMs = 500;

/** Ways that belong to one service: its own to NATS, and that of its callers to it over HTTP. */
const guarded = ['policy', 'elicitation'] as const;
type Guarded = (typeof guarded)[number];
type OwnWay = `${Guarded} ${'to NATS' | 'over HTTP'}`;

let system: DemoSystem;
let fleet: Fleet;
let folder: string;
let alice: string;
let bob: string;
let natsUrl = '';
let forwardedFor: { alice: string; bob: string };
const ways: Partial<Record<ServerName | OwnWay, FaultyProxy>> = {};
const disks: Partial<Record<ServerName, SmallDisk>> = {};
const outcomes: FaultOutcome[] = [];

const otherPorts = { policy: 0, elicitation: 0 };

beforeAll(async () => {
  for (const service of guarded) otherPorts[service] = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'behalf-failures-'));
  for (const name of ['nats', 'redis', 'postgres'] as const) {
    if (SmallDisk.isPossible()) disks[name] = SmallDisk.mount(join(folder, 'servers', name), diskMegabytes);
  }
  system = await startDemoSystem({
    config: await demoConfigOnFreePorts(folder, openWaysOverHttp),
    wayTo: async (name, { port, url }) => {
      if (name === 'nats') {
        natsUrl = url;
        for (const service of guarded) ways[`${service} to NATS`] = await FaultyProxy.open(port);
      }
      const way = (ways[name] = await FaultyProxy.open(port));
      return way.via(url);
    },
    environmentOf: (service): Record<string, string> =>
      service === 'policy' || service === 'elicitation'
        ? { NATS_URL: wayTo(`${service} to NATS`).via(natsUrl) }
        : {},
  });
  for (const service of guarded) {
    const { listen, publicUrl } = system.config[service];
    const way = await FaultyProxy.open(listen.port, Number(new URL(publicUrl).port));
    ways[`${service} over HTTP`] = way;
  }
  if (!system.fleet) throw new Error('this suite is for the fleet: npm run test:failures');
  ({ fleet } = system);
  alice = await tokenOf('alice');
  const scope = 'mcp:tools files:write';
  bob = (await signIn(system, { username: 'bob', resource: system.mcpUrl('files'), scope })).access_token;
  const { publicUrl, paths } = system.config.elicitation;
  const resource = `${publicUrl}${paths.forward}/drive`;
  const forDrive = async (username: string): Promise<string> =>
    (await signIn(system, { username, resource, clientId: 'demo-client' })).access_token;
  forwardedFor = { alice: await forDrive('alice'), bob: await forDrive('bob') };
  const asked = await forward(forwardedFor.alice);
  await goThrough(((await asked.json()) as { interaction_uri: string }).interaction_uri, 'alice');
}, startTimeoutMs);
afterAll(async () => {
  printFaultTable(outcomes);
  await system?.close();
  for (const way of Object.values(ways)) await way.close();
  for (const disk of Object.values(disks)) disk.unmount();
  await rm(folder, { recursive: true, force: true });
});

async function tokenOf(username: string): Promise<string> {
  return (await signIn(system, { username, resource: system.mcpUrl('whoami') })).access_token;
}

const forbidden = (): string => join(system.config.dataFolder, 'files', 'forbidden.txt');
const statusOf = (call: Promise<{ status: number }>): Promise<number> => statusWithin(call, answerWithinMs);

/** What alice may do: 200 where it was done. A refusal in the answer of a protocol that knows none in its status is `refusedInside`. */
function permitted(token = alice): Promise<number> {
  const call = callTool(system.mcpUrl('whoami'), 'whoami', {}, { token });
  return statusOf(
    call.then(({ status, body }) => {
      const isDone = body?.result?.structuredContent?.sub === 'alice';
      return { status: status === 200 && !isDone ? refusedInside : status };
    }),
  );
}

/** What bob may not do, whatever happens. */
function denied(): Promise<number> {
  const file = { path: 'forbidden.txt', content: 'written' };
  return statusOf(callTool(system.mcpUrl('files'), 'write_file', file, { token: bob }));
}

/** Resolves when a call is served again, and a person can sign in: with a token of theirs. */
async function recovered(): Promise<string> {
  const until = performance.now() + recoverWithinMs;
  for (;;) {
    const status = await permitted();
    const token = status === 200 ? await tokenOf('alice').catch(() => undefined) : undefined;
    if (token !== undefined) return token;
    if (performance.now() > until) throw new Error(`the system does not recover: ${status}`);
    await setTimeout(100);
  }
}

/** Resolves when a service serves its own callers again. */
async function servedAgain({ permitted: ask }: Asked): Promise<void> {
  const until = performance.now() + recoverWithinMs;
  for (let status = await ask(); status !== 200; status = await ask()) {
    if (performance.now() > until) throw new Error(`its own callers are not served again: ${status}`);
    await setTimeout(100);
  }
}

const revoke = (token: string): Promise<Response> =>
  fetch(`${system.issuer}${system.config.authorizationServer.paths.revocation}`, {
    method: 'POST',
    body: formOf({ token, client_id: metadataClientId }),
  });

/** Whether every replica refuses it, within the time that a gateway goes on without being told that it missed nothing. */
async function isRevokedEverywhere(token: string): Promise<boolean> {
  const until = performance.now() + revokedWithinMs;
  while (performance.now() < until) {
    const statuses = await Promise.all(Array.from({ length: 6 }, () => permitted(token)));
    if (statuses.every((status) => status === 401)) return true;
    await setTimeout(100);
  }
  return false;
}

/** A code, and an attempt to use it. It is carol's: whoever uses one twice loses what was issued for it. */
async function oneCode(): Promise<() => Promise<number>> {
  const resource = system.mcpUrl('whoami');
  const { url, verifier } = authorizationRequest(system, { resource });
  const code = (await browse(url, 'carol')).searchParams.get('code');
  return () => statusOf(redeem(system, { code, verifier, resource }));
}

/** How many records the audit log has. */
async function recordCount(): Promise<number> {
  const client = new pg.Client({ connectionString: serverOf('postgres').url });
  await client.connect();
  try {
    const { rows } = await client.query(
      'select (select size from audit_head) + (select count(*) from audit_waiting) as records',
    );
    return Number(rows[0].records);
  } finally {
    await client.end();
  }
}

/** What is public stays where the configuration has it; the services listen elsewhere, and what is between can be broken. */
function openWaysOverHttp(file: Record<string, any>): void {
  for (const service of guarded) file[service].listen.port = otherPorts[service];
}

/** The third party's files, by a call that the elicitation service makes for somebody. */
function forward(token: string): Promise<Response> {
  const { publicUrl, paths, providers } = system.config.elicitation;
  const { host } = new URL(providers[0]?.resources?.[0] ?? '');
  const url = `${publicUrl}${paths.forward}/drive/${host}/api/files`;
  return fetch(url, { headers: { authorization: `Bearer ${token}` } });
}

/** 200 for whoever got the files. */
async function filesFor(token: string): Promise<number> {
  const call = forward(token).then(async (answer) => {
    const hasFiles = (await answer.text()).includes('@drive');
    return { status: answer.status === 200 && !hasFiles ? refusedInside : answer.status };
  });
  return statusOf(call);
}

/** 200 for a decision that permits. */
async function decisionFor(subject: string, tool: string, server: string): Promise<number> {
  const question = {
    subject: { type: 'user', id: subject },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: tool, properties: { server } },
  };
  const call = fetch(`${system.config.policy.publicUrl}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  }).then(async (answer) => {
    const isPermitted = ((await answer.json()) as { decision?: unknown }).decision === true;
    return { status: answer.status === 200 && !isPermitted ? refusedInside : answer.status };
  });
  return statusOf(call);
}

/** What the callers of one service ask it themselves, beside those of the gateway. */
interface Asked {
  permitted: () => Promise<number>;
  /** 200 is a wrong allow. */
  denied: () => Promise<number>;
}
const asking: Record<Guarded, Asked> = {
  policy: {
    permitted: () => decisionFor('alice', 'whoami', 'whoami'),
    denied: () => decisionFor('bob', 'write_file', 'files'),
  },
  elicitation: {
    permitted: () => filesFor(forwardedFor.alice),
    // He has connected nothing.
    denied: () => filesFor(forwardedFor.bob),
  },
};

const serverOf = (name: ServerName): LocalServer => {
  const server = fleet.servers[name];
  if (!server) throw new Error(`${name} was not started here`);
  return server;
};
const wayTo = (name: ServerName | OwnWay): FaultyProxy => {
  const way = ways[name];
  if (!way) throw new Error(`${name} is not reached through a proxy`);
  return way;
};

interface Row {
  part: string;
  asked?: Asked;
  fault: string;
  breaks: () => void | Promise<void>;
  mends: () => void | Promise<void>;
  /** What callers see of what they may do: all of it, nothing, or some answers and some refusals. */
  callers: 'served' | 'refused' | 'either';
}

const all = (name: ServiceName): ServerProcess[] => fleet.services[name];
const first = (name: ServiceName): ServerProcess[] => all(name).slice(0, 1);
async function each(replicas: ServerProcess[], act: (replica: ServerProcess) => unknown): Promise<void> {
  await Promise.all(replicas.map(act));
}
const killed = (replicas: () => ServerProcess[]) => ({
  breaks: () => each(replicas(), (replica) => replica.kill()),
  mends: () => each(replicas(), (replica) => replica.start()),
});
const suspended = (replicas: () => ServerProcess[]) => ({
  breaks: () => each(replicas(), (replica) => replica.suspend()),
  mends: () => each(replicas(), (replica) => replica.resume()),
});

const serverRows = (part: ServerName, whenGone: Row['callers']): Row[] => [
  { part, fault: 'killed', ...killed(() => [serverOf(part).process]), callers: whenGone },
  { part, fault: 'suspended', ...suspended(() => [serverOf(part).process]), callers: whenGone },
  ...faults.map((fault): Row => ({
    part,
    fault,
    breaks: () => {
      wayTo(part).break(fault);
      if (fault === 'slow') wayTo(part).delayMs = slowMs;
    },
    mends: () => wayTo(part).mend(),
    callers: 'either',
  })),
  {
    part,
    fault: 'disk full',
    breaks: () => disks[part]?.fill(),
    mends: async () => {
      disks[part]?.giveSpace();
      // Where it cannot write its log PostgreSQL ends, and nats-server 2.9 stands still for good. Whoever watches over
      // them starts them again.
      if (part === 'nats') await serverOf(part).process.kill();
      if (serverOf(part).process.pid === undefined) await serverOf(part).process.start();
    },
    callers: 'either',
  },
];

const restartedEmpty = (part: 'nats' | 'redis'): Row => ({
  part,
  fault: 'restarted empty',
  breaks: () => serverOf(part).restartEmpty(),
  mends: () => {},
  callers: 'either',
});

/** Somebody with the key of a service, who answers its questions with what is no answer. */
let impostor: { close(): Promise<void> } | undefined;
async function answerRubbish(): Promise<void> {
  const { seeds } = await loadOrCreateServiceKeys(join(folder, 'servers', 'nats-keys'));
  const connection = await connect({
    servers: serverOf('nats').url,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seeds.policy)),
    inboxPrefix: '_INBOX.policy',
  });
  const claimed = headers();
  claimed.set('Behalf-Answer', 'reply');
  connection.subscribe(evaluatePolicy.subject, {
    queue: 'behalf',
    callback: (_error, message) => void message.respond('{"decision":"yes"}', { headers: claimed }),
  });
  await connection.flush();
  impostor = connection;
}

const clockRows = (['authorization-server', 'policy', 'elicitation', 'gateway'] as const).flatMap((part) =>
  [5, -5].map((minutes): Row => ({
    part,
    fault: `one clock off by ${minutes} minutes`,
    breaks: () => system.clocks?.put(minutes * 60, `${part}-1`),
    mends: () => system.clocks?.put(0),
    callers: 'either',
  })),
);

/** On a way to a service that says nothing, nobody but its caller can end the waiting. */
const faultsOf = (which: 'to NATS' | 'over HTTP') =>
  faults.filter((fault) => which === 'to NATS' || fault !== 'silent');

const ownWayRows = guarded.flatMap((service) =>
  (['to NATS', 'over HTTP'] as const).flatMap((which) =>
    faultsOf(which).map((fault): Row => ({
      part: `${service} ${which}`,
      fault,
      asked: asking[service],
      breaks: () => wayTo(`${service} ${which}`).break(fault),
      mends: () => wayTo(`${service} ${which}`).mend(),
      // Plain calls need no third party, and the gateway asks for decisions over NATS.
      callers: which === 'over HTTP' || service === 'elicitation' ? 'served' : 'either',
    })),
  ),
);

const rows: Row[] = [
  ...serverRows('nats', 'refused'),
  restartedEmpty('nats'),
  ...serverRows('redis', 'either'),
  restartedEmpty('redis'),
  ...serverRows('postgres', 'refused'),
  {
    part: 'postgres',
    fault: 'very slow',
    breaks: () => {
      wayTo('postgres').break('slow');
      wayTo('postgres').delayMs = verySlowMs;
    },
    mends: () => wayTo('postgres').mend(),
    callers: 'either',
  },
  { part: 'policy', fault: 'one killed', ...killed(() => first('policy')), callers: 'either' },
  { part: 'policy', fault: 'one suspended', ...suspended(() => first('policy')), callers: 'served' },
  { part: 'policy', fault: 'all killed', ...killed(() => all('policy')), callers: 'refused' },
  { part: 'policy', fault: 'all suspended', ...suspended(() => all('policy')), callers: 'refused' },
  {
    part: 'policy',
    fault: 'rubbish',
    breaks: async () => {
      await each(all('policy'), (replica) => replica.suspend());
      await answerRubbish();
    },
    mends: async () => {
      await impostor?.close();
      await each(all('policy'), (replica) => replica.resume());
    },
    callers: 'refused',
  },
  { part: 'elicitation', fault: 'all killed', ...killed(() => all('elicitation')), callers: 'served' },
  { part: 'elicitation', fault: 'all suspended', ...suspended(() => all('elicitation')), callers: 'served' },
  {
    part: 'authorization-server',
    fault: 'one killed',
    ...killed(() => first('authorization-server')),
    callers: 'either',
  },
  { part: 'gateway', fault: 'one killed', ...killed(() => first('gateway')), callers: 'either' },
  ...clockRows,
  ...ownWayRows,
];

describe.each(rows)('$part: $fault', ({ part, fault, breaks, mends, callers, asked }) => {
  const tryIt = fault === 'disk full' ? itOnSmallDisk() : it;
  tryIt(
    'allows nothing wrong, loses nothing, lets nothing be used twice, and keeps nobody waiting',
    async () => {
      const [toRevoke, use] = [await recovered(), await oneCode()];
      const recordsBefore = await recordCount();
      const [seen, others, uses]: [number[], number[], number[]] = [[], [], []];
      const own = { permitted: [] as number[], denied: [] as number[] };
      if (asked) await servedAgain(asked);
      let revoking: number | undefined;
      await breaks();
      try {
        const until = performance.now() + loadForMs;
        do {
          const round = Array.from({ length: 6 }, async () => {
            seen.push(await permitted());
            others.push(await denied());
            if (!asked) return;
            own.permitted.push(await asked.permitted());
            own.denied.push(await asked.denied());
          });
          uses.push(...(await Promise.all([use(), use()])));
          revoking ??= await statusOf(revoke(toRevoke));
          await Promise.all(round);
        } while (performance.now() < until);
      } finally {
        await mends();
      }
      const mendedAt = performance.now();
      await recovered();
      if (asked) await servedAgain(asked);
      const recoveredInMs = performance.now() - mendedAt;
      outcomes.push({ part, fault, seen, ...(asked && { asked: own.permitted }), uses, recoveredInMs });
      uses.push(await use());
      const served = [...seen, ...own.permitted].filter((status) => status === 200).length;
      const isLost = revoking === 200 && !(await isRevokedEverywhere(toRevoke));
      expect({
        'wrong allows':
          Number(existsSync(forbidden())) + own.denied.filter((status) => status === 200).length,
        'lost revocations': Number(isLost),
        'lost records': Math.max(0, served - ((await recordCount()) - recordsBefore)),
        'double uses': Math.max(0, uses.filter((status) => status === 200).length - 1),
        hangs: [...seen, ...others, ...own.permitted, ...own.denied, ...uses, revoking].filter(
          (status) => status === -1,
        ).length,
        'ended by it': Object.values(fleet.services)
          .flat()
          .filter(({ pid }) => pid === undefined).length,
      }).toEqual({
        'wrong allows': 0,
        'lost revocations': 0,
        'lost records': 0,
        'double uses': 0,
        hangs: 0,
        'ended by it': 0,
      });
      if (callers === 'served') expect(new Set(seen)).toEqual(new Set([200]));
      if (callers === 'refused') expect(seen).not.toContain(200);
    },
    rowTimeoutMs,
  );
});

describe.each(['nats', 'redis'] as const)('%s restarted empty', (name) => {
  it(
    'is told what was revoked before, and what is revoked after',
    async () => {
      const token = await recovered();
      expect((await revoke(token)).status).toBe(200);
      expect(await isRevokedEverywhere(token)).toBe(true);
      await serverOf(name).restartEmpty();
      await recovered();
      expect(await isRevokedEverywhere(token)).toBe(true);
      const another = await tokenOf('alice');
      expect(await permitted(another)).toBe(200);
      expect((await revoke(another)).status).toBe(200);
      expect(await isRevokedEverywhere(another)).toBe(true);
    },
    rowTimeoutMs,
  );
});

it(
  'a request for a token that takes too long is refused in time, and uses its code once at most',
  async () => {
    await recovered();
    const resource = system.mcpUrl('whoami');
    const { url, verifier } = authorizationRequest(system, { resource });
    const code = (await browse(url, 'carol')).searchParams.get('code');
    wayTo('postgres').break('slow');
    wayTo('postgres').delayMs = verySlowMs;
    const beganAt = performance.now();
    const late = await redeem(system, { code, verifier, resource }).finally(() => wayTo('postgres').mend());
    expect(performance.now() - beganAt).toBeLessThan(answerWithinMs);
    expect([late.status, late.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    await recovered();
    // Used up by the first try, or not: twice it is not.
    const again = [await redeem(system, { code, verifier, resource })];
    again.push(await redeem(system, { code, verifier, resource }));
    expect(again.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(again.at(-1)?.body.error).toBe('invalid_grant');
    await tokenOf('carol');
  },
  rowTimeoutMs,
);

it(
  'a revocation that was answered survives the database being killed at once',
  async () => {
    const token = await recovered();
    expect((await revoke(token)).status).toBe(200);
    await serverOf('postgres').process.kill();
    await serverOf('postgres').process.start();
    await recovered();
    expect(await isRevokedEverywhere(token)).toBe(true);
  },
  rowTimeoutMs,
);

it(
  'a gateway that is cut off refuses what it cannot know, says so, and catches up when it is back',
  async () => {
    const [known, token] = [await recovered(), await tokenOf('alice')];
    expect(await permitted(token)).toBe(200);
    const waitingFor = async (): Promise<string[]> => {
      const ready = await fetch(`${system.gateway}${system.config.health.ready}`);
      return ((await ready.json()) as { waiting_for?: string[] }).waiting_for ?? [];
    };
    await serverOf('nats').process.kill();
    expect((await revoke(token)).status).toBe(200);
    const until = performance.now() + revokedWithinMs;
    while (!(await waitingFor()).includes('revocations')) {
      if (performance.now() > until) throw new Error('a gateway that knows nothing does not say so');
      await setTimeout(200);
    }
    expect([await permitted(known), await permitted(token)]).toEqual([503, 503]);
    await serverOf('nats').process.start();
    await recovered();
    expect(await isRevokedEverywhere(token)).toBe(true);
    expect(await permitted(known)).toBe(200);
    expect(await waitingFor()).toEqual([]);
  },
  rowTimeoutMs,
);

// The last one: the replica stays.
it(
  'a code that was used is not used again where a replica of Redis takes over that never heard of it',
  async () => {
    await recovered();
    const use = await oneCode();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${serverOf('redis').port}`] });
    const direct = new Redis(replica.port, { lazyConnect: true });
    try {
      while (!/master_link_status:up/.test(await direct.info('replication'))) await setTimeout(20);
      await direct.replicaof('NO', 'ONE');
      expect(await use()).toBe(200);
      wayTo('redis').leadTo(replica.port);
      const load = Promise.all(Array.from({ length: 6 }, () => permitted()));
      for (let attempt = 0; attempt < 6; attempt++) expect(await use()).not.toBe(200);
      expect(await load).not.toContain(-1);
      expect(await permitted(await recovered())).toBe(200);
      expect(await use()).not.toBe(200);
    } finally {
      direct.disconnect();
      await replica.close();
    }
  },
  rowTimeoutMs,
);
