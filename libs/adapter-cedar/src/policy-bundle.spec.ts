import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CedarWasmEngine } from './cedar-wasm-engine.js';
import { PolicyBundleUnreadable, loadPolicyBundle } from './load-policy-bundle.js';
import { type BundleRefused, type PolicyBundleWatch, watchPolicyBundle } from './watch-policy-bundle.js';

const schema =
  'entity User; entity Tool; action "tools/call" appliesTo { principal: [User], resource: [Tool] };';
const permit = '@id("p") permit(principal, action, resource);';

let folder: string;
const write = (file: string, text: string) => writeFile(join(folder, file), text);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-policies-'));
  await write('schema.cedarschema', schema);
  await write('a.cedar', permit);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('loadPolicyBundle', () => {
  it('reads policies, schema and entities, and nothing else', async () => {
    await write('entities.json', '[]');
    await write('README.md', 'permit(principal, action, resource);');
    expect(await loadPolicyBundle(folder)).toEqual({
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
      policies: [{ file: 'a.cedar', text: permit }],
      schema,
      entities: [],
    });
  });

  it('gives other contents another version, also when text only moves between files', async () => {
    const versions = [(await loadPolicyBundle(folder)).version];
    await write('b.cedar', '');
    versions.push((await loadPolicyBundle(folder)).version);
    await write('a.cedar', '');
    await write('b.cedar', permit);
    versions.push((await loadPolicyBundle(folder)).version);
    expect(new Set(versions).size).toBe(3);
  });

  it.each([
    ['no schema', () => rm(join(folder, 'schema.cedarschema'))],
    ['entities that are not JSON', () => write('entities.json', '{')],
    ['policies that are not UTF-8', () => writeFile(join(folder, 'a.cedar'), Buffer.from([0xff, 0xfe]))],
    ['no folder', () => rm(folder, { recursive: true })],
  ])('refuses a folder with %s', async (_, spoil) => {
    await spoil();
    await expect(loadPolicyBundle(folder)).rejects.toThrow(PolicyBundleUnreadable);
  });
});

describe('watchPolicyBundle', () => {
  let engine: CedarWasmEngine;
  let watching: PolicyBundleWatch;
  let changes: string[];
  let refusals: BundleRefused[];
  let nextEvent: () => Promise<void>;
  beforeEach(async () => {
    engine = new CedarWasmEngine();
    changes = [];
    refusals = [];
    let told = (): void => {};
    nextEvent = () => new Promise((resolve) => (told = resolve));
    watching = watchPolicyBundle({
      folder,
      engine,
      onChanged: (version) => (changes.push(version), told()),
      onRefused: (refused) => (refusals.push(refused), told()),
    });
    await watching.check();
  });
  afterEach(() => watching.close());

  it('loads what is there', () => {
    expect(changes).toEqual([engine.version]);
  });

  it('takes a change by itself', async () => {
    const changed = nextEvent();
    await write('b.cedar', 'forbid(principal, action, resource);');
    await changed;
    expect(changes).toHaveLength(2);
    expect(engine.version).toBe((await loadPolicyBundle(folder)).version);
  });

  it('takes a file that was renamed into place', async () => {
    await write('a.cedar.new', 'forbid(principal, action, resource);');
    const changed = nextEvent();
    await rename(join(folder, 'a.cedar.new'), join(folder, 'a.cedar'));
    await changed;
    expect(engine.version).toBe((await loadPolicyBundle(folder)).version);
  });

  it('refuses an invalid bundle once, keeps the old one, and says file, policy and reason', async () => {
    const before = engine.version;
    await write('b.cedar', '@id("bad") permit(principal, action, resource) when { principal.age > 3 };');
    await watching.check();
    await watching.check();
    expect(engine.version).toBe(before);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.problems).toEqual([
      { severity: 'error', file: 'b.cedar', policy: 'bad', reason: expect.stringContaining('age') },
    ]);
  });

  it('recovers when the bundle is repaired, and reports the next fault anew', async () => {
    await write('b.cedar', 'permit(');
    await watching.check();
    await write('b.cedar', '');
    await watching.check();
    await write('b.cedar', 'permit(');
    await watching.check();
    expect(refusals).toHaveLength(2);
    expect(changes).toHaveLength(2);
  });

  it('keeps deciding when the folder disappears', async () => {
    const before = engine.version;
    await rm(folder, { recursive: true });
    await watching.check();
    expect(engine.version).toBe(before);
    expect(refusals[0]?.version).toBeUndefined();
  });

  it('says nothing when a file is written with the same contents', async () => {
    await write('a.cedar', permit);
    await watching.check();
    expect(changes).toHaveLength(1);
  });
});
