import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenedDatabase, SqlAuditLog, migrate, openPglite } from '@behalf/adapter-postgres';
import { entryTiles, formatTilePath } from '@behalf/audit';
import { sql } from 'kysely';
import { TestServer } from '../../authorization-server/test/test-server.js';
import { runCommand } from '../src/run-command.js';

const clients = [
  ['operator', ['admin']],
  ['auditor', ['audit:read']],
  ['witness', ['audit:witness']],
  ['stranger', []],
].map(([clientId, scopes]) => ({
  clientId,
  demoSecret: `${String(clientId)}-secret`,
  grantTypes: ['client_credentials'],
  scopes,
}));

let database: OpenedDatabase;
let log: SqlAuditLog;
let server: TestServer;
let folder: string;
let key: string;
beforeAll(async () => {
  database = await openPglite('memory://');
  await migrate(database.db);
  log = new SqlAuditLog(database.db, { maxWaiting: 1000 });
  server = await TestServer.start({ server: { clients }, auditLog: log });
  folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
  await grow(600);
  key = await output('operator', 'key');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await server.close();
  await log.idle();
  await database.close();
});

const grow = (count: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      log.append({ type: 'exchange', outcome: 'allowed', occurredAtMs: n, client: `client-${n}` }),
    ),
  );
const run = (client: string, ...args: string[]) =>
  runCommand(['audit', ...args, '--issuer', server.issuer], {
    BEHALF_CLIENT_ID: client,
    BEHALF_CLIENT_SECRET: `${client}-secret`,
  });
const output = async (...args: [string, ...string[]]): Promise<string> => {
  const result = await run(...args);
  expect(result).toEqual({ failed: false, output: result.output });
  return result.output;
};
const at = (name: string): string => join(folder, name);
const keyed = (): string[] => ['--key', key];
const auditor = ['--scope', 'audit:read'];
const tokenOf = async (client: string, scope: string): Promise<string> => {
  const credentials = Buffer.from(`${client}:${client}-secret`).toString('base64');
  const answer = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: `${server.issuer}/admin`,
      scope,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
};
const read = async (path: string, token: string): Promise<Response> =>
  fetch(`${server.issuer}/admin/audit/${path}`, { headers: { authorization: `Bearer ${token}` } });

it('verifies the log where it is, copies it, and verifies the copy without asking anybody', async () => {
  expect(await output('auditor', 'verify', ...keyed(), ...auditor)).toMatch(/^sound: \d+ records of/);
  expect(await output('auditor', 'export', at('log'), ...keyed(), ...auditor)).toMatch(/^sound/);
  expect((await readdir(at('log'))).toSorted()).toEqual(['checkpoint', 'tile']);
  const offline = await runCommand(['audit', 'verify', at('log'), '--key', key, '--json'], {});
  expect(JSON.parse(offline.output)).toMatchObject({ sound: true });
  expect(await readdir(folder)).toEqual(['log']);
});

it('gives a receipt of a record, from the log and from a copy, that is verified without asking anybody', async () => {
  for (const [n, source] of [[], [at('log')]].entries()) {
    const file = at(`${n}.tlog-proof`);
    await output('auditor', 'prove', ...source, ...keyed(), ...auditor, '--leaf', '300', '--out', file);
    const verified = await runCommand(['audit', 'verify', file, '--key', key, '--json'], {});
    expect(JSON.parse(verified.output)).toMatchObject({ sound: true, index: 300 });
    await writeFile(file, (await readFile(file, 'utf8')).replace('index 300', 'index 301'));
    expect(await runCommand(['audit', 'verify', file, '--key', key], {})).toMatchObject({ failed: true });
  }
});

it('attack: a copy is tampered with', async () => {
  const copy = at('tampered');
  const verify = () => runCommand(['audit', 'verify', copy, '--key', key], {});
  const [first, second] = entryTiles(600).map((tile) => join(copy, formatTilePath(tile)));
  for (const tamper of [
    async () => writeFile(first!, (await readFile(first!, 'latin1')).replace('allowed', 'refused'), 'latin1'),
    async () => rm(first!),
    async () => cp(second!, first!),
  ]) {
    await cp(at('log'), copy, { recursive: true });
    expect((await verify()).failed).toBe(false);
    await tamper();
    const { output: problem, failed } = await verify();
    expect([problem.slice(0, 9), failed]).toEqual(['NOT SOUND', true]);
    await rm(copy, { recursive: true });
  }
});

it('is served as tiles that may be kept, under a head that may not', async () => {
  const token = await tokenOf('auditor', 'audit:read');
  const checkpoint = await read('checkpoint', token);
  expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(checkpoint.headers.get('cache-control')).toBe('private, no-cache');
  for (const path of ['tile/0/000', 'tile/0/001.p/7', 'tile/1/000.p/2', 'tile/entries/001']) {
    const tile = await read(path, token);
    expect([tile.status, tile.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    expect(tile.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  }
  for (const path of ['tile/0/009', 'tile/2/000.p/1', 'tile/0/1', 'tile/x'])
    expect((await read(path, token)).status).toBe(404);
});

it('shows a witness no record, and a stranger nothing', async () => {
  const token = await tokenOf('witness', 'audit:witness');
  expect((await read('tile/0/000', token)).status).toBe(200);
  expect((await read('tile/entries/000', token)).status).toBe(403);
  expect((await fetch(`${server.issuer}/admin/audit/checkpoint`)).status).toBe(401);
  expect(
    (await fetch(`${server.issuer}/admin/audit`, { headers: { authorization: `Bearer ${token}` } })).status,
  ).toBe(403);
  await expect(run('stranger', 'verify', ...keyed(), ...auditor)).rejects.toMatchObject({
    name: 'AdminRefused',
  });
  await expect(run('witness', 'verify', ...keyed(), ...auditor)).rejects.toMatchObject({
    name: 'AdminRefused',
  });
});

describe('a witness', () => {
  const witness = () =>
    run(
      'witness',
      'witness',
      at('witness'),
      ...keyed(),
      '--scope',
      'audit:witness',
      '--name',
      'w.example',
      '--once',
    );

  it('signs what the log has grown to, which an auditor can hold the log to', async () => {
    expect((await witness()).failed).toBe(false);
    await grow(10);
    const { output: said } = await witness();
    const witnessKey = said.slice(said.lastIndexOf(' ') + 1);
    const seen = ['--seen', at('witness/checkpoint'), '--key', witnessKey];
    expect(await output('auditor', 'verify', ...keyed(), ...seen, ...auditor)).toMatch(/^sound/);
    // The copy is of an earlier time, and does not hold all that the witness has seen.
    expect(await run('auditor', 'verify', at('log'), ...keyed(), ...seen)).toMatchObject({ failed: true });
    expect(await output('auditor', 'export', at('log'), ...keyed(), ...auditor)).toMatch(/^sound/);
    expect(await output('auditor', 'verify', at('log'), ...keyed(), ...seen)).toMatch(/^sound/);
  });

  it('attack: who owns the database rewrites a record, and all that follows from it', async () => {
    await sql`alter table audit_batches disable trigger all`.execute(database.db);
    await sql`alter table audit_tiles disable trigger all`.execute(database.db);
    const { leaf } = await log.leaves(5, 1).then(([first]) => ({ leaf: first! }));
    const head = await sql<{ size: string }>`select size from audit_head`.execute(database.db);
    const leaves = await log.leaves(0, Number(head.rows[0]!.size));
    await sql`delete from audit_batches`.execute(database.db);
    await sql`delete from audit_tiles`.execute(database.db);
    await sql`update audit_head set size = 0, edge = '[]'`.execute(database.db);
    const forged = leaves.with(5, leaf.replace('client-5', 'client-6'));
    const forger = new SqlAuditLog(database.db, { maxWaiting: 10_000 });
    await Promise.all(forged.map((one) => forger.append(JSON.parse(one))));

    // By itself the forged log is a log like any other.
    expect(await output('auditor', 'verify', ...keyed(), ...auditor)).toMatch(/^sound/);
    expect(await witness()).toMatchObject({ failed: true, output: expect.stringContaining('ALARM') });
    expect((await readdir(at('witness'))).filter((name) => name.startsWith('refused-'))).toHaveLength(1);
    const seen = ['--seen', at('witness/checkpoint')];
    expect(await run('auditor', 'verify', ...keyed(), ...seen, ...auditor)).toMatchObject({ failed: true });
    expect(await run('auditor', 'export', at('log'), ...keyed(), ...auditor)).toMatchObject({ failed: true });
    expect((await runCommand(['audit', 'verify', at('log'), '--key', key], {})).failed).toBe(false);
  });
});
