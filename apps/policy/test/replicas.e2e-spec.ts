import { CompiledCedarEngine, loadPolicyBundle } from '@behalf/adapter-cedar';
import { CedarWasmParser } from '@behalf/adapter-cedar-parser';
import { InProcessBus, MemoryRecordStore } from '@behalf/adapter-memory';
import { policyChanged } from '@behalf/contracts';
import { publishBundle, toFiles } from '@behalf/policy-life';
import { systemClock } from '@behalf/ports';
import { createLogger } from '@behalf/service-kit';
import { resolve } from 'node:path';
import { RecordPolicySource } from '../src/life/record-policy-source.js';

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
  for (const source of sources) await source.onModuleDestroy();
  expect(engines.map((engine) => engine.version)).toEqual([version, version, version]);
  await bus.close();
});
