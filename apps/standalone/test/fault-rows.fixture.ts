import { join } from 'node:path';
import { type ServiceName, evaluatePolicy } from '@behalf/contracts';
import { type ServerProcess, faults } from '@behalf/local-servers';
import { connect, headers, nkeyAuthenticator } from '@nats-io/transport-node';
import type { ServerName } from '../../../deploy/fleet/start-servers.js';
import { loadOrCreateServiceKeys } from '../../../deploy/nats/service-keys.js';
import { type FailingSystem, type Guarded, guarded } from './failing-system.fixture.js';

/** Each way. To redeem a code the database is asked some thirty times, one after the other. */
const slowMs = 100;
/** So slow that these take longer than a request may, although none of them takes as long as a statement may. */
export const verySlowMs = 500;

/** One way to break one part: a row of docs/failures.md. */
interface Row {
  part: string;
  /** Whose own callers are looked at, too. */
  asked?: Guarded;
  fault: string;
  breaks: (failing: FailingSystem) => void | Promise<void>;
  mends: (failing: FailingSystem) => void | Promise<void>;
  /** What callers see of what they may do: all of it, nothing, or some answers and some refusals. */
  callers: 'served' | 'refused' | 'either';
}

type Replicas = (failing: FailingSystem) => ServerProcess[];
const all =
  (name: ServiceName): Replicas =>
  ({ fleet }) =>
    fleet.services[name];
const first =
  (name: ServiceName): Replicas =>
  ({ fleet }) =>
    fleet.services[name].slice(0, 1);
async function each(replicas: ServerProcess[], act: (replica: ServerProcess) => unknown): Promise<void> {
  await Promise.all(replicas.map(act));
}
const killed = (replicas: Replicas) => ({
  breaks: (failing: FailingSystem) => each(replicas(failing), (replica) => replica.kill()),
  mends: (failing: FailingSystem) => each(replicas(failing), (replica) => replica.start()),
});
const suspended = (replicas: Replicas) => ({
  breaks: (failing: FailingSystem) => each(replicas(failing), (replica) => replica.suspend()),
  mends: (failing: FailingSystem) => each(replicas(failing), (replica) => replica.resume()),
});

const serverRows = (part: ServerName, whenGone: Row['callers']): Row[] => [
  { part, fault: 'killed', ...killed((failing) => [failing.serverOf(part).process]), callers: whenGone },
  {
    part,
    fault: 'suspended',
    ...suspended((failing) => [failing.serverOf(part).process]),
    callers: whenGone,
  },
  ...faults.map((fault): Row => ({
    part,
    fault,
    breaks: (failing) => {
      failing.wayTo(part).break(fault);
      if (fault === 'slow') failing.wayTo(part).delayMs = slowMs;
    },
    mends: (failing) => failing.wayTo(part).mend(),
    callers: 'either',
  })),
  {
    part,
    fault: 'disk full',
    breaks: (failing) => failing.diskOf(part)?.fill(),
    mends: async (failing) => {
      failing.diskOf(part)?.giveSpace();
      // Where it cannot write its log PostgreSQL ends, and nats-server 2.9 stands still for good. Whoever watches over
      // them starts them again.
      if (part === 'nats') await failing.serverOf(part).process.kill();
      if (failing.serverOf(part).process.pid === undefined) await failing.serverOf(part).process.start();
    },
    callers: 'either',
  },
];

const restartedEmpty = (part: 'nats' | 'redis'): Row => ({
  part,
  fault: 'restarted empty',
  breaks: (failing) => failing.serverOf(part).restartEmpty(),
  mends: () => {},
  callers: 'either',
});

/** Somebody with the key of a service, who answers its questions with what is no answer. */
let impostor: { close(): Promise<void> } | undefined;
async function answerRubbish(failing: FailingSystem): Promise<void> {
  const { seeds } = await loadOrCreateServiceKeys(join(failing.folder, 'servers', 'nats-keys'));
  const connection = await connect({
    servers: failing.serverOf('nats').url,
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
    breaks: (failing) => failing.system.clocks?.put(minutes * 60, `${part}-1`),
    mends: (failing) => failing.system.clocks?.put(0),
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
      asked: service,
      breaks: (failing) => failing.wayTo(`${service} ${which}`).break(fault),
      mends: (failing) => failing.wayTo(`${service} ${which}`).mend(),
      // Plain calls need no third party, and the gateway asks for decisions over NATS.
      callers: which === 'over HTTP' || service === 'elicitation' ? 'served' : 'either',
    })),
  ),
);

export const rows: Row[] = [
  ...serverRows('nats', 'refused'),
  restartedEmpty('nats'),
  ...serverRows('redis', 'either'),
  restartedEmpty('redis'),
  ...serverRows('postgres', 'refused'),
  {
    part: 'postgres',
    fault: 'very slow',
    breaks: (failing) => {
      failing.wayTo('postgres').break('slow');
      failing.wayTo('postgres').delayMs = verySlowMs;
    },
    mends: (failing) => failing.wayTo('postgres').mend(),
    callers: 'either',
  },
  { part: 'policy', fault: 'one killed', ...killed(first('policy')), callers: 'either' },
  { part: 'policy', fault: 'one suspended', ...suspended(first('policy')), callers: 'served' },
  { part: 'policy', fault: 'all killed', ...killed(all('policy')), callers: 'refused' },
  { part: 'policy', fault: 'all suspended', ...suspended(all('policy')), callers: 'refused' },
  {
    part: 'policy',
    fault: 'rubbish',
    breaks: async (failing) => {
      await each(all('policy')(failing), (replica) => replica.suspend());
      await answerRubbish(failing);
    },
    mends: async (failing) => {
      await impostor?.close();
      await each(all('policy')(failing), (replica) => replica.resume());
    },
    callers: 'refused',
  },
  { part: 'elicitation', fault: 'all killed', ...killed(all('elicitation')), callers: 'served' },
  { part: 'elicitation', fault: 'all suspended', ...suspended(all('elicitation')), callers: 'served' },
  {
    part: 'authorization-server',
    fault: 'one killed',
    ...killed(first('authorization-server')),
    callers: 'either',
  },
  { part: 'gateway', fault: 'one killed', ...killed(first('gateway')), callers: 'either' },
  ...clockRows,
  ...ownWayRows,
];
