import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../parse-command.js';
import { runCommand } from '../run-command.js';

const demo = 'deploy/demo/policies';
const schema =
  'entity User; entity Tool { name: String }; action "tools/call" appliesTo { principal: [User], resource: [Tool], context: { risk?: Long } };';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-cli-'));
  await writeFile(join(folder, 'schema.cedarschema'), schema);
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const put = (file: string, text: string) => writeFile(join(folder, file), text);
const run = async (...args: string[]) => {
  const { output, failed } = await runCommand(['policy', ...args, '--json'], {});
  return { data: JSON.parse(output), failed };
};

describe('behalf policy test', () => {
  it("passes on the demo's own table", async () => {
    const { data, failed } = await run('test', demo);
    expect(data.results.filter((result: { passed: boolean }) => !result.passed)).toEqual([]);
    expect(failed).toBe(false);
    expect(data.passed).toBeGreaterThanOrEqual(20);
  });

  it('fails on a wrong decision, and on the right one by other policies', async () => {
    await put('a.cedar', '@id("p") @scopes("x") permit(principal, action, resource);');
    await put(
      'tests.yaml',
      `tests:
         - { person: a, resource: tool s/t, decision: insufficient_scope }
         - { person: a, resource: tool s/t, scope: x, decision: permitted, policies: [p] }
         - { person: a, resource: tool s/t, scope: x, decision: permitted, policies: [q] }
         - { person: a, resource: tool s/t, scope: x, decision: denied }`,
    );
    const { data, failed } = await run('test', folder);
    expect(data.results.map((result: { passed: boolean }) => result.passed)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(failed).toBe(true);
  });

  it('decides at the time that a row names', async () => {
    await put(
      'schema.cedarschema',
      'entity User; entity Tool { name: String }; action "tools/call" appliesTo { principal: [User], resource: [Tool], context: { now?: datetime } };',
    );
    await put(
      'a.cedar',
      'permit(principal, action, resource) when { context has now && context.now.toTime() < duration("18h") };',
    );
    await put(
      'tests.yaml',
      `defaults: { person: a, resource: tool s/t, context: { now: '1970-01-01T00:00:00Z' } }
tests:
  - { at: '2026-01-01T17:59:00Z', decision: permitted }
  - { at: '2026-01-01T18:00:00Z', decision: no_matching_permit }`,
    );
    expect(await run('test', folder)).toMatchObject({ failed: false, data: { passed: 2 } });
  });

  it.each([
    ['no decision', 'tests: [{ person: a, resource: tool s/t }]'],
    ['a misspelt field', 'tests: [{ person: a, resource: tool s/t, decision: denied, argument: {} }]'],
    ['no rows', 'tests: []'],
  ])('refuses a table with %s', async (_, table) => {
    await put('a.cedar', '');
    await put('tests.yaml', table);
    await expect(run('test', folder)).rejects.toThrow();
  });

  it('fails on policies that are invalid', async () => {
    await put('a.cedar', '@aproval("human") permit(principal, action, resource);');
    expect(await run('test', folder)).toMatchObject({
      failed: true,
      data: { problems: [{ severity: 'error' }] },
    });
  });
});

describe('behalf policy lint', () => {
  it('has nothing to say about the demo', async () => {
    expect(await run('lint', demo)).toMatchObject({ failed: false, data: { problems: [] } });
  });

  it('finds a tool that nobody reaches', async () => {
    const { data } = await run('lint', demo, '--tool', 'everything/get-env', '--tool', 'everything/echo');
    expect(data.problems).toMatchObject([
      { severity: 'warning', reason: expect.stringContaining('get-env') },
    ]);
  });
});

it('behalf policy types writes the type of the arguments', async () => {
  const tools = [
    { name: 'a/b', inputSchema: { type: 'object', properties: { n: { type: 'integer' }, any: true } } },
  ];
  await put('tools.json', JSON.stringify({ files: { tools } }));
  const { data } = await run('types', join(folder, 'tools.json'));
  expect(data).toMatchObject({ text: expect.stringContaining('"n"?: Long'), omitted: [{ argument: 'any' }] });
});

it('behalf policy diff names what changed', async () => {
  await put('a.cedar', '@id("p") permit(principal, action, resource);');
  const { data } = await run('diff', demo, folder);
  expect(data).toMatchObject({ added: ['p'], schemaChanged: true });
  expect((await run('diff', demo, demo)).data).toMatchObject({ added: [], removed: [], changed: [] });
});

it.each([
  [[]],
  [['policy']],
  [['policy', 'fly']],
  [['policy', 'test']],
  [['policy', 'lint', demo, '--tool', 'x']],
  [['policy', 'list']],
  [['policy', 'test', demo, '--what']],
  [['policy', 'publish', demo]],
])('refuses the command line %j', async (args) => {
  await expect((async () => runCommand(args, {}))()).rejects.toThrow(UsageError);
});
