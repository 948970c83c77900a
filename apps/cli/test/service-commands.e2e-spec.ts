import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askForDecision } from '@behalf/testing';
import { DecisionRecorder } from '../../policy/src/life/decision-recorder.js';
import { type PolicyService, startPolicyService } from '../../policy/test/policy-service.js';
import { runCommand } from '../src/run-command.js';

let service: PolicyService;
let folder: string;
let token: string;
beforeAll(async () => {
  service = await startPolicyService({
    allowUnauthenticatedLoopback: true,
    settings: { source: 'records', decisionRecords: { enabled: true } },
  });
  token = await service.sign({ aud: service.publicUrl, sub: 'ann', scope: 'policy:admin' });
  folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
  await cp('deploy/demo/policies', folder, { recursive: true });
  await writeFile(join(folder, 'lockdown.cedar'), '@id("lockdown") forbid(principal, action, resource);');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.close();
});
const run = async (...args: string[]) => {
  const { output } = await runCommand(['policy', ...args, '--url', service.url, '--json'], {
    BEHALF_TOKEN: token,
  });
  return JSON.parse(output);
};

it('publishes, lists, replays, shadows and rolls back', async () => {
  await askForDecision(service.url, 'bob', { tool: 'echo', server: 'everything' });
  await service.app.get(DecisionRecorder).flush();
  expect(await run('replay', folder)).toMatchObject({ replayed: 1, flipped: 1, people: [['bob', 1]] });
  expect(await run('shadow', folder)).toMatchObject({ version: expect.any(String) });
  expect(await run('shadow', 'off')).toMatchObject({ version: null });
  const { live } = await run('list');
  const { version } = await run('publish', folder, '--reason', 'an incident', '--expect', live);
  expect(version).not.toBe(live);
  expect(await run('rollback', '--reason', 'over')).toMatchObject({ version: live, replaced: version });
  expect((await run('list')).activations.map(({ act }: { act: string }) => act)).toEqual([
    'roll-back',
    'publish',
    'seed',
  ]);
});

it('says why the service refused', async () => {
  await expect(run('publish', folder, '--reason', 'late', '--expect', '0'.repeat(64))).rejects.toMatchObject({
    name: 'ServiceRefused',
  });
  await expect(run('rollback', '1'.repeat(64), '--reason', 'x')).rejects.toMatchObject({
    name: 'ServiceRefused',
  });
});
