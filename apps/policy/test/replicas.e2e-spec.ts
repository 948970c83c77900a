import { CompiledCedarEngine, loadPolicyBundle } from '@behalf/adapter-cedar';
import { CedarWasmParser } from '@behalf/adapter-cedar-parser';
import { InProcessBus, MemoryRecordStore } from '@behalf/adapter-memory';
import { NatsBus } from '@behalf/adapter-nats';
import { policyChanged } from '@behalf/contracts';
import { startNats } from '@behalf/local-servers';
import type { PolicyEngine } from '@behalf/policy';
import { publishBundle, toFiles } from '@behalf/policy-life';
import { systemClock } from '@behalf/ports';
import { createLogger } from '@behalf/service-kit';
import { askForDecision, describeWith } from '@behalf/testing';
import { resolve } from 'node:path';
import { RecordPolicySource } from '../src/life/record-policy-source.js';
import { POLICY_ENGINE } from '../src/tokens.js';
import { type PolicyService, startPolicyService } from './policy-service.js';

it('takes a published bundle on every replica, told by one event', async () => {
  const bus = new InProcessBus({ maxInFlight: 8 });
  const records = new MemoryRecordStore(systemClock);
  const folder = resolve('deploy/demo/policies');
  const parser = new CedarWasmParser();
  const engines = [new CompiledCedarEngine(), new CompiledCedarEngine(), new CompiledCedarEngine()];
  const logger = createLogger('policy', 'silent');
  const sources = [];
  for (const engine of engines)
    sources.push(
      await RecordPolicySource.open({ folder, engine, records, bus, clock: systemClock, parser, logger }),
    );
  expect(new Set(engines.map(({ version }) => version)).size).toBe(1);

  const files = [
    ...toFiles(await loadPolicyBundle(folder)),
    { file: 'z.cedar', text: 'forbid(principal, action, resource);' },
  ];
  const { version } = await publishBundle(files, {
    records,
    parser,
    author: 'ann',
    reason: 'because',
    nowMs: systemClock.nowMs(),
  });
  expect(engines.map((engine) => engine.version === version)).toEqual([false, false, false]);
  await bus.publish(policyChanged, records.outbox.at(-1) as never);
  // Closing waits for what the event has begun, and looks at nothing by itself.
  for (const source of sources) await source.onApplicationShutdown();
  expect(engines.map((engine) => engine.version)).toEqual([version, version, version]);
  await bus.close();
});

describeWith('nats-server')('two policy services on one NATS', () => {
  it('decide by a bundle as soon as it was published at one of them, and name it in their answers', async () => {
    const server = await startNats();
    const open = (ownsEvents: boolean) =>
      NatsBus.open({ url: server.url, service: 'policy', maxInFlight: 8, ownsEvents });
    const buses = [await open(true), await open(false)] as const;
    const told: Promise<void>[] = [];
    const records = new MemoryRecordStore(systemClock, {
      onCommit: (events) =>
        void told.push(...events.map((event) => buses[0].publish(policyChanged, event as never))),
    });
    const settings = { source: 'records' };
    const services = [
      await startPolicyService({ records, bus: buses[0], settings }),
      await startPolicyService({ records, bus: buses[1], settings }),
    ] as const;
    try {
      const [first, second] = services;
      const ask = async (service: PolicyService) => {
        const headers = { authorization: `Bearer ${await service.sign({ aud: service.publicUrl })}` };
        const call = { tool: 'echo', server: 'everything' };
        const response = await askForDecision(service.url, 'bob', call, headers);
        return (await response.json()) as { decision: boolean; context: { policy_version: string } };
      };
      const before = await ask(second);
      expect(before.decision).toBe(true);

      const token = await first.sign({ sub: 'ann', aud: first.publicUrl, scope: 'policy:admin' });
      const published = await fetch(`${first.url}/admin/policy/bundles`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          files: [
            ...toFiles(await loadPolicyBundle(resolve('deploy/demo/policies'))),
            { file: 'z.cedar', text: 'forbid(principal, action, resource);' },
          ],
          reason: 'nobody for now',
        }),
      });
      const { version } = (await published.json()) as { version: string };
      await Promise.all(told);
      // Sooner than it would look by itself, which is every fifteen seconds.
      const engine = second.app.get<PolicyEngine>(POLICY_ENGINE);
      const deadlineMs = Date.now() + 10_000;
      while (engine.version !== version && Date.now() < deadlineMs)
        await new Promise((next) => void setTimeout(next, 5));
      for (const service of services)
        expect(await ask(service)).toMatchObject({ decision: false, context: { policy_version: version } });
      expect(version).not.toBe(before.context.policy_version);
    } finally {
      for (const service of services) await service.close();
      for (const bus of buses) await bus.close();
      await server.close();
    }
  }, 60_000);
});
