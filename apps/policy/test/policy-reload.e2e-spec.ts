import { evaluatePolicy } from '@behalf/contracts';
import { type Tracing, startTracing } from '@behalf/telemetry';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { PolicySource } from '../src/policy-source.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

const evaluation = {
  subject: { type: 'user', id: 'bob' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'echo', properties: { server: 'everything' } },
  context: {
    actors: [{ sub: 'demo-gateway' }, { sub: 'demo-agent' }],
    arguments: { message: 'very private' },
  },
};

let service: PolicyService;
let tracing: Tracing;
const spans: ReadableSpan[] = [];
beforeAll(async () => {
  tracing = startTracing({
    serviceName: 'policy',
    spanProcessor: {
      onStart() {},
      onEnd: (span) => void spans.push(span),
      shutdown: async () => {},
      forceFlush: async () => {},
    },
  });
  service = await startPolicyService({ replicas: 1 });
});
afterAll(async () => {
  await service.close();
  await tracing.stop();
});
const decide = () => service.bus.request(evaluatePolicy, evaluation, { timeoutMs: 5_000 });

it('decides by changed policies, and tells everybody', async () => {
  const before = await decide();
  await writeFile(
    join(service.folder, 'lockdown.cedar'),
    '@id("lockdown") forbid(principal, action, resource);',
  );
  await service.app.get(PolicySource).check();
  const after = await decide();
  expect([before, after]).toMatchObject([
    { decision: true },
    { decision: false, context: { policies: ['lockdown'] } },
  ]);
  expect(after.context?.policy_version).not.toBe(before.context?.policy_version);
  // It is told a moment later.
  while ((await service.outbox()).length === 0) await setImmediate();
  expect(await service.outbox()).toMatchObject([
    { type: 'behalf.policy.changed', data: { version: after.context?.policy_version } },
  ]);
});

it('keeps deciding by the policies before when the new ones are invalid', async () => {
  const before = await decide();
  await writeFile(join(service.folder, 'lockdown.cedar'), 'permit(');
  await service.app.get(PolicySource).check();
  expect((await decide()).context?.policy_version).toBe(before.context?.policy_version);
  expect(await service.outbox()).toHaveLength(1);
});

it('makes one span of a decision, which names the chain and hides the arguments', async () => {
  spans.length = 0;
  const { context } = await decide();
  const decisions = spans.filter((span) => span.name === 'policy decide');
  expect(decisions.map((span) => span.attributes)).toEqual([
    {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'echo',
      'behalf.upstream': 'everything',
      'behalf.actor.chain': ['demo-gateway', 'demo-agent'],
      'behalf.actor.depth': 2,
      'behalf.decision': false,
      'behalf.decision.id': context?.id,
      'behalf.decision.reason': 'forbidden',
    },
  ]);
  expect(service.audit.records.at(-1)?.traceId).toBe(decisions[0]?.spanContext().traceId);
});

it('does not start on policies that are invalid', async () => {
  const engine = {
    version: undefined,
    load: () => [{ severity: 'error' as const, file: 'a.cedar', reason: 'no' }],
    decide: () => assertNever(),
    list: () => assertNever(),
  };
  const logger = { error() {} } as never;
  await expect(PolicySource.open(service.folder, engine, service.records, logger)).rejects.toThrow('a.cedar');
});

function assertNever(): never {
  throw new Error('must not be asked');
}
