import type { ConnectionHealth } from '@behalf/contracts';
import { elicitationRecords } from '@behalf/elicitation';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForwardSystem, startForwardSystem } from '../../elicitation/test/forward-system.fixture.js';
import { UsageError } from '../src/parse-command.js';
import { runCommand } from '../src/run-command.js';

let system: ForwardSystem;
let folder: string;
beforeAll(async () => {
  system = await startForwardSystem();
  folder = await mkdtemp(join(tmpdir(), 'behalf-'));
}, 60_000);
afterAll(async () => {
  await system.close();
  await rm(folder, { recursive: true, force: true });
});

const adminToken = (claims: Record<string, unknown> = {}) =>
  system.token({
    aud: system.publicUrl,
    sub: 'operator',
    client_id: 'operator',
    act: undefined,
    scope: 'vault:admin',
    ...claims,
  });
const run = async (...args: string[]) =>
  runCommand(['vault', ...args, '--url', system.publicUrl], { BEHALF_TOKEN: await adminToken() });
const text = async (...args: string[]): Promise<string> => (await run(...args)).output;
const connectionsOf = async (person: string): Promise<ConnectionHealth[]> =>
  JSON.parse(await text('connections', '--person', person, '--json')) as ConnectionHealth[];

it('shows how connections are, and nothing that opens them', async () => {
  const lent = await system.lend('alice');
  await system.call(`${system.host}/user`);
  const [one] = await connectionsOf('alice');
  expect(one).toMatchObject({ owner: 'alice', providerId: 'acme', status: 'active', lastUsedBy: 'agent' });
  const shown = `${await text('connections')} ${JSON.stringify(one)}`;
  expect(shown).not.toContain(lent);
  expect(shown).not.toMatch(/sealed|refreshToken|"at-/);
  expect(await text('connections', '--status', 'disconnected')).toBe('no connections');
});

it('ends everything of a person who left: connections, agreements, and what waits for them', async () => {
  await system.lend('bob');
  const token = await system.token({ sub: 'bob', act: { sub: 'another' }, client_id: 'another' });
  const waiting = String((await system.call(`${system.host}/user`, { token })).json()['elicitation_id']);
  expect(await text('off-board', 'bob')).toMatch(/bob at acme: ended at the provider, too$/);
  expect(await connectionsOf('bob')).toMatchObject([{ status: 'disconnected', reason: 'person_offboarded' }]);
  expect((await system.records.get(elicitationRecords, waiting))?.value.status).toBe('cancelled');
  expect(
    (await system.call(`${system.host}/user`, { token: await system.token({ sub: 'bob' }) })).status,
  ).toBe(403);
  expect(await text('off-board', 'bob')).toBe('nothing to end');
  expect(system.audited).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        type: 'vault-change',
        client: 'operator',
        person: 'bob',
        details: { change: 'off-board' },
      }),
    ]),
  );
});

it('ends one connection, and all of a provider', async () => {
  await system.lend('carol');
  const [{ id } = { id: '' }] = await connectionsOf('carol');
  expect(await text('disconnect', id)).toContain('carol at acme');
  await expect(text('disconnect', id)).rejects.toMatchObject({ status: 404 });
  await system.lend('dave');
  expect(await text('end-provider', 'acme')).toMatch(/dave at acme: ended$/m);
  expect(await connectionsOf('dave')).toMatchObject([
    { status: 'needs_consent', reason: 'revoked_by_provider' },
  ]);
  await expect(text('end-provider', 'nobody')).rejects.toMatchObject({ status: 404 });
});

it('plants a decoy that looks like any other, and raises an alarm when it is opened', async () => {
  const file = join(folder, 'tokens.json');
  await writeFile(file, JSON.stringify({ accessToken: 'canary', refreshToken: 'canary too' }));
  const planting = ['plant-decoy', '--person', 'victor', '--provider', 'acme', '--tokens', file];
  expect(await text(...planting, '--scope', 'read')).toMatch(/^planted /);
  await expect(text(...planting)).rejects.toMatchObject({ status: 409 });
  const [{ id: _id, owner: _owner, ...decoy } = {} as ConnectionHealth] = await connectionsOf('victor');
  expect(decoy).toMatchObject({ status: 'active', scopes: ['read'], refreshFailures: 0 });
  expect(JSON.stringify(system.audited)).not.toMatch(/canary|victor/);
  const grant = await system.policy.grant('victor');
  await expect(system.vault.vault.openForUse(grant)).rejects.toMatchObject({ problem: 'alarmed' });
  expect(system.audited.at(-1)).toMatchObject({ type: 'vault-alarm', details: { alarm: 'decoy_opened' } });
});

it('moves data keys, and says what may go', async () => {
  expect(await run('rewrap')).toMatchObject({
    output: expect.stringMatching(/^0 moved to .*, 0 failed; the former key is needed no more$/) as string,
    failed: false,
  });
});

it.each([
  ['no token', undefined, 401],
  ['another audience', { aud: 'https://elsewhere.example' }, 401],
  ['another scope', { scope: 'elicitation:read admin' }, 403],
  ['a token on behalf of a person', { sub: 'alice', act: { sub: 'operator' } }, 403],
  ['a token of a person', { sub: 'alice' }, 403],
])('is closed to %s', async (_what, claims, status) => {
  const headers: Record<string, string> =
    claims === undefined ? {} : { authorization: `Bearer ${await adminToken(claims)}` };
  for (const [method, path] of [
    ['GET', 'connections'],
    ['POST', 'connections/x/disconnect'],
    ['POST', 'people/off-board'],
    ['POST', 'providers/acme/end'],
    ['POST', 'decoys'],
    ['POST', 'rewrap'],
  ] as const) {
    const answer = await system.raw(`/admin/vault/${path}`, { method, headers });
    expect([path, answer.status]).toEqual([path, status]);
  }
});

it('changes nothing that cannot be recorded', async () => {
  await system.lend('erin');
  system.recording(false);
  await expect(text('off-board', 'erin')).rejects.toMatchObject({ status: 500 });
  system.recording(true);
  expect(await connectionsOf('erin')).toMatchObject([{ status: 'active' }]);
});

it('describes itself', async () => {
  const { paths } = (await system.raw('/admin/vault/openapi.json')).json();
  expect(Object.keys(paths as object)).toEqual([
    '/connections',
    '/connections/{connection}/disconnect',
    '/people/off-board',
    '/providers/{provider}/end',
    '/decoys',
    '/rewrap',
  ]);
});

it.each([[[]], [['disconnect']], [['off-board']], [['plant-decoy', '--person', 'x']], [['fly']]])(
  'refuses the command line %j',
  async (args) => {
    await expect(text(...args)).rejects.toThrow(UsageError);
  },
);
