import type { DelegationGrant } from '@behalf/contracts';
import { files, TestServer } from '../../authorization-server/test/test-server.js';
import { UsageError } from '../src/parse-command.js';
import { runCommand } from '../src/run-command.js';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const environment = { BEHALF_CLIENT_ID: 'operator', BEHALF_CLIENT_SECRET: 'operator-secret' };
const text = async (...args: string[]): Promise<string> =>
  (await runCommand(['grants', ...args, '--issuer', server.issuer], environment)).output;
const run = async <T = DelegationGrant>(...args: string[]): Promise<T> =>
  JSON.parse(await text(...args, '--json')) as T;
const wanted = `--person alice --agent gateway --resource ${files} --purpose Reports`.split(' ');
const create = () =>
  run('create', ...wanted, '--scope', 'mcp:tools', '--scope', 'files:write', '--seconds', '3600');

it('creates, lists, shows, narrows and revokes', async () => {
  const { id, expiresAtMs } = await create();
  expect(expiresAtMs).toBe(server.clock.nowMs() + 3600_000);
  expect(await run<DelegationGrant[]>('list', '--person', 'alice')).toMatchObject([{ id }]);
  expect(await run<DelegationGrant[]>('list', '--agent', 'other')).toEqual([]);
  const until = new Date(server.clock.nowMs() + 60_000).toISOString();
  expect(await run('narrow', id, '--scope', 'mcp:tools', '--until', until)).toMatchObject({
    scopes: ['mcp:tools'],
    expiresAtMs: Date.parse(until),
  });
  const shown = await text('show', id);
  for (const line of [/^person +alice$/m, /^agent +gateway$/m, /^last used +never$/m])
    expect(shown).toMatch(line);
  expect(await run('revoke', id)).toMatchObject({ state: 'revoked', endedBy: 'operator' });
  expect(await text('list')).toContain(`revoked  ${id}  gateway for alice`);
});

it('says why it was refused', async () => {
  await expect(run('revoke', 'made-up')).rejects.toMatchObject({ status: 404, code: 'invalid_request' });
});

it.each([[[]], [['create']], [['show']], [['narrow', 'x']], [['narrow', 'x', '--until', 'soon']], [['fly']]])(
  'refuses the command line %j',
  async (args) => {
    await expect(text(...args)).rejects.toThrow(UsageError);
  },
);
