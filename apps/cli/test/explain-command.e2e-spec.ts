import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentId, TestAgents } from '../../authorization-server/test/test-agents.js';
import { files } from '../../authorization-server/test/test-server.js';
import { runCommand } from '../src/run-command.js';

let agents: TestAgents;
let folder: string;
beforeEach(async () => {
  agents = await TestAgents.start();
  await agents.create();
  folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
  await writeFile(join(folder, 'subject'), `${await agents.personToken()}\n`);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await agents.close();
});

const run = (...args: string[]) =>
  runCommand(['explain', ...args, '--issuer', agents.server.issuer], {
    BEHALF_CLIENT_ID: 'operator',
    BEHALF_CLIENT_SECRET: 'operator-secret',
  });
const question = () => [
  '--client',
  agentId,
  '--subject-token-file',
  join(folder, 'subject'),
  '--resource',
  files,
];

it('prints what an exchange would come to', async () => {
  const { output, failed } = await run(...question());
  expect(failed).toBe(false);
  expect(output).toContain('outcome   minted: at+jwt, 300 seconds');
  expect(output).toContain('left      mcp:tools');
  expect(output).toMatch(/removed +files:write by (subject token, )?ceiling/);
});

it('prints the rule behind a refusal, and fails', async () => {
  const { output, failed } = await run(...question(), '--scope', 'admin', '--requested-actor', 'helper');
  expect(failed).toBe(true);
  expect(output).toContain('outcome   refused: scope_beyond_authority');
  expect(output).toContain('RFC 8693');
  const { output: json } = await run(...question(), '--requested-token-type', 'txn_token', '--json');
  expect(JSON.parse(json)).toMatchObject({ refusal: { reason: 'transaction_tokens_off' } });
});

it('refuses a command that makes no sense', async () => {
  await expect(run('--client', agentId)).rejects.toMatchObject({ name: 'UsageError' });
  await expect(run('--nonsense')).rejects.toMatchObject({ name: 'UsageError' });
});
