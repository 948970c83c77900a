import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, evaluatePolicy } from '@behalf/contracts';
import { importJWK, type JWK, SignJWT } from 'jose';
import { files, TestServer } from '../../authorization-server/test/test-server.js';
import { runCommand } from '../src/run-command.js';

let server: TestServer;
let folder: string;
beforeEach(async () => {
  server = await TestServer.start();
  server.bus.handle(evaluatePolicy, async () => ({ decision: true, context: { id: 'd' } }));
  folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await server.close();
});

const environment = { BEHALF_CLIENT_ID: 'operator', BEHALF_CLIENT_SECRET: 'operator-secret' };
const text = async (...args: string[]): Promise<string> =>
  (await runCommand(['agents', ...args, '--issuer', server.issuer], environment)).output;
const run = async (...args: string[]): Promise<Agent> => JSON.parse(await text(...args, '--json')) as Agent;
const keyFile = (): string => join(folder, 'key.json');
const description = ['--name', 'Reporter', '--owner', 'ops@example.com', '--purpose', 'Reports'];
const ceiling = ['--audience', files, '--scope', 'mcp:tools'];
const create = (...more: string[]) =>
  run('create', '--slug', 'reporter', ...description, ...ceiling, ...more);
const generate = () => create('--generate-key', keyFile());

it('creates an agent with a key that stays here, and the agent gets a token with it', async () => {
  const agent = await generate();
  expect(agent).toMatchObject({ id: `${server.issuer}/agents/reporter`, state: 'active' });
  expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
  const jwk = JSON.parse(await readFile(keyFile(), 'utf8')) as JWK;
  expect(JSON.stringify(await server.outbox()) + JSON.stringify(agent)).not.toContain(jwk.d);

  const now = Math.floor(server.clock.nowMs() / 1000);
  const claims = { iss: agent.id, sub: agent.id, aud: server.issuer, jti: 'j', iat: now, exp: now + 60 };
  const { status } = await server.token(
    {
      grant_type: 'client_credentials',
      resource: files,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: jwk.kid! })
        .sign(await importJWK(jwk, 'ES256')),
    },
    null,
  );
  expect(status).toBe(200);
});

it('shows, lists, suspends, resumes and retires, by slug or by id', async () => {
  const { id } = await generate();
  expect(await run('show', id)).toEqual(await run('show', 'reporter'));
  expect(await run('suspend', 'reporter', '--reason', 'odd calls')).toMatchObject({
    stateReason: 'odd calls',
  });
  expect(await run('list', '--state', 'suspended')).toMatchObject([{ id }]);
  expect(await text('list')).toContain(id);
  expect(await text('show', id)).toContain('suspended: odd calls');
  expect(await run('resume', id)).toMatchObject({ state: 'active' });
  expect(await run('retire', id)).toMatchObject({ state: 'retired' });
  await expect(run('resume', id)).rejects.toMatchObject({ name: 'AdminRefused', status: 409 });
});

it('rotates keys', async () => {
  const { jwks } = await generate();
  const next = join(folder, 'next.json');
  expect((await run('add-key', 'reporter', '--generate-key', next)).jwks?.keys).toHaveLength(2);
  const { kid } = JSON.parse(await readFile(next, 'utf8')) as JWK;
  const after = await run('remove-key', 'reporter', jwks!.keys[0]!.kid);
  expect(after.jwks?.keys.map((key) => key.kid)).toEqual([kid]);
});

it('overwrites no key, and leaves none behind that was not registered', async () => {
  await generate();
  await expect(generate()).rejects.toMatchObject({ name: 'UsageError' });
  const taken = create('--generate-key', join(folder, 'other.json'));
  await expect(taken).rejects.toMatchObject({ name: 'AdminRefused', status: 409 });
  expect(await readdir(folder)).toEqual(['key.json']);
});

it('sends no private key, whoever asks for it', async () => {
  await generate();
  for (const content of [await readFile(keyFile(), 'utf8'), '{"keys":[{"kty":"oct","k":"x"}]}']) {
    const file = join(folder, 'private.json');
    await writeFile(file, content);
    await expect(run('add-key', 'reporter', '--key', file)).rejects.toMatchObject({ name: 'UsageError' });
    await expect(create('--jwks', file)).rejects.toMatchObject({ name: 'UsageError' });
  }
});

it('sends its secret to nobody but the issuer, over TLS or on this machine', async () => {
  const listing = (issuer: string) => runCommand(['agents', 'list', '--issuer', issuer], environment);
  await expect(listing('http://as.example')).rejects.toMatchObject({ name: 'UsageError' });
  // The server under its other name is another issuer.
  const alias = server.issuer.replace('localhost', '127.0.0.1');
  await expect(listing(alias)).rejects.toMatchObject({ name: 'UsageError' });
});

it.each([
  [[]],
  [['rename', 'reporter']],
  [['show']],
  [['remove-key', 'reporter']],
  [['add-key', 'reporter']],
  [['create', '--name', 'x']],
  [['list', '--unknown']],
])('says how it is used for %j', async (args) => {
  await expect(runCommand(['agents', ...args], environment)).rejects.toMatchObject({ name: 'UsageError' });
});

it('needs credentials', async () => {
  const listing = runCommand(['agents', 'list', '--issuer', server.issuer], {});
  await expect(listing).rejects.toMatchObject({ name: 'UsageError' });
});

it('creates an agent that authenticates with secrets, and makes and removes them', async () => {
  const credential = join(folder, 'credential.json');
  await writeFile(credential, JSON.stringify({ method: 'client_secret' }));
  const agent = await create('--credential', credential, '--bound-tokens', 'dpop');
  expect(agent).toMatchObject({ credential: { method: 'client_secret', secrets: [] }, boundTokens: 'dpop' });
  const secret = JSON.parse(await text('add-secret', 'reporter', '--json')) as Record<string, string>;
  expect(secret).toEqual({ id: expect.any(String), clientSecret: expect.stringMatching(/^[\w-]{43}$/) });
  expect(await text('add-secret', 'reporter')).toMatch(/not shown again:\n[\w-]{43}/);
  const left = await run('remove-secret', 'reporter', secret['id'] ?? '');
  expect(left.credential).toMatchObject({ secrets: [{ id: expect.not.stringMatching(secret['id'] ?? '') }] });
});
