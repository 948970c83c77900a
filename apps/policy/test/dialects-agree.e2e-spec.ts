import { NatsBus } from '@behalf/adapter-nats';
import { evaluationSchema } from '@behalf/contracts';
import { startNats } from '@behalf/local-servers';
import { describeWith } from '@behalf/testing';
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DecisionPoint } from '../src/decision-point.js';
import { PolicySource } from '../src/policy-source.js';
import {
  type Call,
  type Dialect,
  busDialect,
  dialectSettings,
  evaluationOf,
  openDialects,
} from './ask-dialects.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const rogues = `@id("no-rogues")
forbid (principal, action == Action::"tools/call", resource)
when { context.actors.contains(Agent::"rogue") };`;

const people: Record<string, string[]> = {
  alice: ['eng'],
  bob: ['sales'],
  carol: [],
  'zoë "z"': ['eng', 'sales'],
};
const tools = [
  'echo',
  'get-env',
  'trigger-long-running-operation',
  'read_text_file',
  'write_file',
  'a/b',
  'größe',
  '__proto__',
];
const named: Record<string, fc.Arbitrary<string>> = {
  'tools/call': fc.constantFrom(...tools),
  'prompts/get': fc.constantFrom('simple-prompt', 'x y'),
  'resources/read': fc.constantFrom('demo://x', 'file:///a:b/c'),
};
const args = fc.oneof(
  fc.record({ duration: fc.oneof(fc.integer({ min: 1, max: 1200 }), fc.constantFrom(600.5, '1', true)) }),
  fc.record({ path: fc.string({ maxLength: 20 }), list: fc.array(fc.integer(), { maxLength: 3 }) }),
  fc.constant({}),
);
const methods = ['tools/list', 'prompts/list', 'resources/list', 'tools/destroy', ...Object.keys(named)];
const calls: fc.Arbitrary<Call> = fc
  .record({
    person: fc.constantFrom(...Object.keys(people)),
    actors: fc.array(fc.constantFrom('demo-gateway', 'demo-agent', 'rogue'), { maxLength: 3 }),
    server: fc.constantFrom('everything', 'everything', 'files', 'whoami', 'other'),
    method: fc.constantFrom(...methods, 'tools/call', 'tools/call', 'tools/call'),
  })
  .chain((call) =>
    fc.record({
      ...Object.fromEntries(Object.entries(call).map(([name, value]) => [name, fc.constant(value)])),
      groups: fc.constant(people[call.person] ?? []),
      name: named[call.method] ?? fc.constant(undefined),
      args: call.method === 'tools/call' ? args : fc.constant({}),
    }),
  ) as fc.Arbitrary<Call>;

const sample = fc.sample(calls, { numRuns: 1000, seed: 20261123 });

/** Asks every dialect about every call. What counts as right is the decision itself, without any transport. */
async function compare(service: PolicyService, dialects: readonly Dialect[]) {
  await writeFile(join(service.folder, 'rogues.cedar'), rogues);
  await service.app.get(PolicySource).check();
  const decisions = service.app.get(DecisionPoint);
  const decide = async (call: Call, unseen: boolean) =>
    (await decisions.decide(evaluationSchema.parse(evaluationOf(call, unseen)))).decision;

  const differences: unknown[] = [];
  const seen = { permitted: 0, denied: 0, deniedUnseen: 0 };
  for (let start = 0; start < sample.length; start += 25) {
    await Promise.all(
      sample.slice(start, start + 25).map(async (call) => {
        const [all, unseen] = [await decide(call, false), await decide(call, true)];
        seen[all ? 'permitted' : 'denied'] += 1;
        if (all && !unseen) seen.deniedUnseen += 1;
        for (const dialect of dialects) {
          const expected = dialect.sight === 'all' ? all : unseen;
          const actual = await dialect.ask(call);
          if (actual !== expected) differences.push({ dialect: dialect.name, call, expected, actual });
        }
      }),
    );
  }
  expect(differences.slice(0, 3)).toEqual([]);
  // The sample is worth something: both answers are common, and arguments that were not seen made a difference.
  expect(Math.min(seen.permitted, seen.denied)).toBeGreaterThan(200);
  expect(seen.deniedUnseen).toBeGreaterThan(0);
}

it('gives a thousand calls the same decision in every dialect', async () => {
  const service = await startPolicyService({
    replicas: 1,
    allowUnauthenticatedLoopback: true,
    settings: dialectSettings,
  });
  const { dialects, grpc } = openDialects(service);
  try {
    await compare(service, dialects);
  } finally {
    grpc.close();
    await service.close();
  }
}, 180_000);

describeWith('nats-server')('over NATS', () => {
  it('gives the same thousand calls the same decisions', async () => {
    const server = await startNats();
    const open = (name: string, ownsEvents: boolean) =>
      NatsBus.open({ url: server.url, service: name, maxInFlight: 100, ownsEvents });
    const [bus, gateway] = [await open('policy', true), await open('gateway', false)];
    const service = await startPolicyService({ bus });
    try {
      await compare(service, [busDialect(gateway)]);
    } finally {
      await service.close();
      await gateway.close();
      await bus.close();
      await server.close();
    }
  }, 180_000);
});
