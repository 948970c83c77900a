import { CedarWasmEngine, loadPolicyBundle } from '@behalf/adapter-cedar';
import { CedarWasmParser } from '@behalf/adapter-cedar-parser';
import { MemoryRecordStore } from '@behalf/adapter-memory';
import { ConditionalEngine } from '@behalf/policy';
import { LocalKeyEncryptionKey, seal } from '@behalf/sealing';
import { FakeClock } from '@behalf/testing';
import { resolve } from 'node:path';
import { type BundleFile, bundleFilesSchema, toBundle, toFiles, versionOfFiles } from './bundle-files.js';
import { activations, activePolicies, bundles } from './bundle-records.js';
import {
  type Decided,
  formerDecisions,
  openDecisions,
  openFormerDecision,
  sealDecisions,
} from './decision-records.js';
import { checkCandidate } from './check-candidate.js';
import { diffBundles } from './diff-bundles.js';
import { judgeOutcome } from './judge-outcome.js';
import { lintPolicies } from './lint-policies.js';
import { publishBundle, rollBack, seedBundle, setShadow } from './publish-bundle.js';
import { renderReplay, replayDecisions } from './replay-decisions.js';

const schema = `entity Team; entity User in [Team] { age?: Long }; entity McpServer;
  entity Tool in [McpServer] { name: String };
  action "tools/call" appliesTo { principal: [User], resource: [Tool],
    context: { arguments: { path?: String }, risk: Long } };`;
const parser = new CedarWasmParser();
const files = (text: string): BundleFile[] => [
  { file: 'a.cedar', text },
  { file: 'schema.cedarschema', text: schema },
];
const all = '@id("all") permit(principal, action, resource);';
const eng = '@id("all") permit(principal in Team::"eng", action, resource);';
const engineOn = (text: string) => {
  const engine = new ConditionalEngine(new CedarWasmEngine(), new CedarWasmEngine(), parser);
  expect(engine.load(toBundle(files(text))).filter(({ severity }) => severity === 'error')).toEqual([]);
  return engine;
};

describe('bundles', () => {
  it('have the version of the folder they were read from', async () => {
    const folder = await loadPolicyBundle(resolve('deploy/demo/policies'));
    expect(versionOfFiles(toFiles(folder))).toBe(folder.version);
    expect(toBundle(toFiles(folder))).toEqual(folder);
  });

  it.each([['../a.cedar'], ['a/b.cedar'], ['.cedar'], ['a.txt'], ['schema.cedarschema'], ['a.cedar\n']])(
    'take no file called %j beside the others',
    (file) => {
      expect(bundleFilesSchema.safeParse([...files(all), { file, text: '' }]).success).toBe(false);
    },
  );
});

describe('links of templates', () => {
  const template =
    '@id("t") @approval("human") forbid(principal == ?principal, action, resource) when { context has risk && context.risk > 9 };';
  const withLinks = (...ids: string[]) => [
    ...files(`${all} ${template}`),
    {
      file: 'links.json',
      text: JSON.stringify(
        ids.map((id) => ({
          templateId: 't',
          newId: `watch-${id}`,
          values: { '?principal': { type: 'User', id } },
        })),
      ),
    },
  ];

  it('are files of a bundle, and part of its version', () => {
    const bundle = toBundle(bundleFilesSchema.parse(withLinks('ann')));
    expect(toBundle(toFiles(bundle))).toEqual(bundle);
    expect(versionOfFiles(withLinks('bob'))).not.toBe(bundle.version);
  });

  it('are policies to a diff and to the lint', () => {
    const [before, after] = [withLinks('ann', 'bob'), withLinks('bob', 'c"l')].map(toBundle);
    expect(diffBundles(before!, after!, parser)).toMatchObject({
      added: ['watch-c"l'],
      removed: ['watch-ann'],
      changed: [],
    });
    const faults = (...ids: string[]) => checkCandidate(withLinks(...ids), { parser }).problems;
    expect(faults('ann')).toEqual([]);
    expect(faults()).toMatchObject([{ severity: 'warning', policy: 't' }]);
    expect(faults('ann', 'ann')).toContainEqual(
      expect.objectContaining({ severity: 'error', policy: 'watch-ann' }),
    );
  });

  it('have the conditions of their template', () => {
    const engine = new ConditionalEngine(new CedarWasmEngine(), new CedarWasmEngine(), parser);
    expect(engine.load(toBundle(withLinks('ann', 'bob')))).toEqual([]);
    const outcomeOf = (id: string) =>
      judgeOutcome(
        {
          subject: { type: 'user', id },
          action: { name: 'tools/call' },
          resource: { type: 'tool', id: 'x', properties: { server: 's' } },
          context: { risk: 10 },
        },
        engine,
        {},
      ).outcome;
    expect([outcomeOf('ann'), outcomeOf('carol')]).toEqual(['conditional', 'permitted']);
  });
});

describe('publishing', () => {
  const clock = new FakeClock();
  let records: MemoryRecordStore;
  beforeEach(() => {
    records = new MemoryRecordStore(clock);
  });
  const options = (more: object = {}) => ({
    records,
    parser,
    author: 'ann',
    reason: 'because',
    nowMs: clock.nowMs(),
    ...more,
  });
  const live = async () => (await records.get(activePolicies, 'live'))?.value.version;

  it('keeps the bundle with author and reason, makes it live and tells everybody', async () => {
    const { version, replaced } = await publishBundle(files(all), options());
    expect([await live(), replaced]).toEqual([version, undefined]);
    expect((await records.get(bundles, version))?.value).toMatchObject({ author: 'ann', reason: 'because' });
    expect(records.outbox).toMatchObject([{ type: 'behalf.policy.changed', data: { version } }]);
  });

  it.each<[string, BundleFile[], object, string]>([
    ['what does not parse', files('permit('), {}, 'invalid'],
    [
      'what is not type-correct',
      files('permit(principal, action, resource) when { principal.x == 1 };'),
      {},
      'invalid',
    ],
    ['an unknown annotation', files(`@aproval("human") ${all}`), {}, 'invalid'],
    ['entities that are not JSON', [...files(all), { file: 'entities.json', text: '{' }], {}, 'invalid'],
    ['a change without a reason', files(all), { reason: ' ' }, 'reason_missing'],
    ['a change of what the author has not seen', files(all), { expectedVersion: 'old' }, 'conflict'],
  ])('refuses %s, changing nothing', async (_, bundle, more, reason) => {
    await expect(publishBundle(bundle, options(more))).rejects.toMatchObject({ reason });
    expect(await live()).toBeUndefined();
    expect(records.outbox).toEqual([]);
  });

  it('rolls back, and forth, and to a version that is named', async () => {
    const one = await publishBundle(files(all), options());
    const two = await publishBundle(files(eng), options({ expectedVersion: one.version }));
    expect((await rollBack(options({ reason: 'oops' }))).version).toBe(one.version);
    expect((await rollBack(options())).version).toBe(two.version);
    await rollBack(options({ version: one.version }));
    expect(await live()).toBe(one.version);
    expect((await records.list(activations)).map(({ value }) => value.act)).toEqual([
      'publish',
      'publish',
      'roll-back',
      'roll-back',
      'roll-back',
    ]);
    await expect(rollBack(options({ version: 'nope' }))).rejects.toMatchObject({ reason: 'not_found' });
  });

  it('lets one of two authors win', async () => {
    const { version } = await publishBundle(files(all), options());
    const both = [eng, `${all} `].map((text) =>
      publishBundle(files(text), options({ expectedVersion: version })),
    );
    const ended = await Promise.allSettled(both);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('seeds what is empty, and only that', async () => {
    expect(await seedBundle(files(all), options())).toBeDefined();
    expect(await seedBundle(files(eng), options())).toBeUndefined();
  });

  it('keeps a shadow that exists', async () => {
    const { version } = await publishBundle(files(all), options());
    await setShadow(records, version);
    expect((await records.get(activePolicies, 'shadow'))?.value.version).toBe(version);
    await setShadow(records, undefined);
    expect(await records.get(activePolicies, 'shadow')).toBeUndefined();
    await expect(setShadow(records, 'nope')).rejects.toMatchObject({ reason: 'not_found' });
  });
});

describe('diffBundles', () => {
  it('sees a change of an integer that a JavaScript number would round', () => {
    const of = (risk: string) =>
      toBundle(files(`@id("p") permit(principal, action, resource) when { context.risk < ${risk} };`));
    const before = of('9007199254740992');
    expect(diffBundles(before, of('9007199254740993'), parser).changed).toHaveLength(1);
    expect(diffBundles(before, of('9007199254740992'), parser).changed).toEqual([]);
  });

  it('names what was added, removed and changed, and not what only moved', () => {
    const before = toBundle(files(`${all} @id("old") forbid(principal, action, resource);`));
    const after = toBundle([
      { file: 'b.cedar', text: '@id("all")   permit(principal, action, resource);' },
      { file: 'c.cedar', text: '@id("new") forbid(principal, action, resource) when { context.risk > 1 };' },
      { file: 'schema.cedarschema', text: schema },
    ]);
    expect(diffBundles(before, after, parser)).toEqual({
      added: ['new'],
      removed: ['old'],
      changed: [],
      schemaChanged: false,
      entitiesChanged: false,
    });
    expect(diffBundles(toBundle(files(all)), toBundle(files(eng)), parser).changed).toMatchObject([
      { policy: 'all' },
    ]);
  });
});

describe('lintPolicies', () => {
  const lint = (text: string, tools: { server: string; name: string }[] = []) =>
    lintPolicies(parser.parse(toBundle(files(text))).policies, tools).map(
      ({ policy, reason }) => `${policy ?? '-'}: ${reason.replace(/[:,].*/, '')}`,
    );
  const head = '(principal, action, resource)';

  it.each<[string, string, string[]]>([
    ['a clean bundle', all, []],
    ['when false', `@id("p") permit${head} when { false && context.risk > 1 };`, ['p: never matches']],
    ['unless true', `@id("p") permit${head} unless { !false };`, ['p: never matches']],
    [
      'a forbid that reads what may be missing',
      `@id("f") forbid${head} when { context.risk > 1 };`,
      ['f: reads context.risk without asking whether it is there'],
    ],
    ['one that asks', `@id("f") forbid${head} when { context has risk && context.risk > 1 };`, []],
    ['a permit that reads it', `@id("p") permit${head} when { context.risk > 1 };`, []],
    [
      'a wider permit',
      `${all} @id("p") permit(principal in Team::"eng", action, resource);`,
      ['p: adds nothing'],
    ],
    ['the same twice', `@id("p") permit${head}; @id("q") permit${head};`, ['q: adds nothing']],
    [
      'a wider permit with a condition',
      `@id("a") permit${head} when { context.risk < 5 }; @id("p") permit(principal in Team::"eng", action, resource);`,
      [],
    ],
    [
      'a wider permit with terms',
      `@id("a") @scopes("x") permit${head}; @id("p") permit(principal in Team::"eng", action, resource);`,
      [],
    ],
    ['a forbid over everything', `@id("p") permit${head}; @id("f") forbid${head};`, ['p: permits nothing']],
    ['a forbid that is lifted', `@id("p") permit${head}; @id("f") @scopes("x") forbid${head};`, []],
    [
      'a forbid of something else',
      `@id("p") permit${head}; @id("f") forbid(principal, action, resource == Tool::"s/t");`,
      [],
    ],
  ])('%s', (_, text, found) => {
    expect(lint(text)).toEqual(found);
  });

  it.each<[string, boolean]>([
    ['permit(principal, action, resource);', true],
    ['permit(principal, action == Action::"tools/call", resource == Tool::"s/t");', true],
    ['permit(principal, action, resource in McpServer::"s");', true],
    ['permit(principal, action, resource is Tool in McpServer::"s") when { resource.name == "x" };', true],
    ['permit(principal, action, resource == Tool::"s/u");', false],
    ['permit(principal, action, resource in McpServer::"other");', false],
    ['permit(principal, action, resource); forbid(principal, action, resource == Tool::"s/t");', false],
    [
      'permit(principal, action, resource); forbid(principal in Team::"x", action, resource == Tool::"s/t");',
      true,
    ],
  ])('says whether anybody can call s/t: %s', (text, isReachable) => {
    const found = lint(text, [{ server: 's', name: 't' }]).filter((one) => one.includes('by nobody'));
    expect(found).toHaveLength(isReachable ? 0 : 1);
  });
});

describe('recorded decisions', () => {
  const kek = new LocalKeyEncryptionKey(new Uint8Array(32).fill(7));
  const decided = (person: string, groups: string[], n: number) => ({
    evaluation: {
      subject: { type: 'user', id: person, properties: { groups } },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'write', properties: { server: 'files' } },
      context: { arguments: { path: '/very-private' } },
    },
    answer: { decision: true, context: { id: `d${n}`, policies: ['all'], errors: [], policy_version: 'v' } },
    caller: 'gateway',
    decidedAtMs: n,
    latencyMicros: 12,
    traceId: undefined,
  });

  const sealed = async (...many: Decided[]) => {
    const batches = await sealDecisions(many, kek, 1000);
    return batches.map(({ id, value, expiresAtMs }) => ({ id, value, expiresAtMs, version: 1 }));
  };
  const problemOf = (batch: Parameters<typeof openDecisions>[0]): Promise<unknown> =>
    openDecisions(batch, kek).then(
      () => 'opened',
      ({ problem }: { problem: unknown }) => problem,
    );

  it('hide the arguments, and stand together in the order of their time', async () => {
    const given = [decided('bob', [], 2), decided('alice', [], 1)];
    const [batch, ...more] = await sealed(...given);
    expect(more).toEqual([]);
    expect(JSON.stringify(batch)).not.toContain('very-private');
    expect(batch).toMatchObject({ expiresAtMs: 1002 });
    expect(await openDecisions(batch!, kek)).toEqual(
      given.toReversed().map(({ evaluation, decidedAtMs }) => ({
        decisionId: `d${decidedAtMs}`,
        decision: true,
        decidedAtMs,
        evaluation,
      })),
    );
    const [later] = await sealed(decided('alice', [], 10));
    expect(batch!.id < later!.id).toBe(true);
  });

  it('attack: whoever writes the database puts other names to the inputs', async () => {
    const [batch] = await sealed(decided('alice', [], 1), decided('bob', [], 2));
    const { decisions } = batch!.value;
    const changed = (value: object) => ({ ...batch!, value: { ...batch!.value, ...value } });
    expect(await problemOf(changed({ decisions: decisions.toReversed() }))).toBe('not_authentic');
    expect(await problemOf(changed({ decisions: decisions.slice(1) }))).toBe('not_authentic');
    expect(await problemOf({ ...batch!, id: 'another' })).toBe('wrong_key');
  });

  it('do not make one record of more than anybody could read', async () => {
    const large = (n: number) => {
      const one = decided('alice', [], n);
      return {
        ...one,
        evaluation: { ...one.evaluation, context: { arguments: { a: 'a'.repeat(600_000) } } },
      };
    };
    const batches = await sealed(large(1), large(2), decided('alice', [], 3));
    expect(batches.map(({ value }) => value.decisions.length)).toEqual([1, 2]);
    expect((await Promise.all(batches.map((batch) => openDecisions(batch, kek)))).flat()).toHaveLength(3);
  });

  it('hide the id of a resource, which may be as private as an argument', async () => {
    const one = decided('alice', [], 1);
    const resource = { type: 'resource_uri', id: 'file:///very-private', properties: { server: 'files' } };
    const batches = await sealed({ ...one, evaluation: { ...one.evaluation, resource } });
    expect(JSON.stringify(batches)).not.toContain('very-private');
  });

  it('of a version before, which kept each by itself, still open, for their own id only', async () => {
    const { evaluation } = decided('alice', [], 1);
    const of = async (decisionId: string) => ({
      id: 'x',
      version: 1,
      expiresAtMs: undefined,
      value: formerDecisions.schema.parse({
        decisionId,
        decidedAtMs: 1,
        decision: true,
        policies: [],
        errors: [],
        latencyMicros: 1,
        person: 'alice',
        action: 'tools/call',
        resource: 'tool:write',
        inputsDigest: 'sha256:',
        sealed: await seal(kek, Buffer.from(JSON.stringify({ salt: 's', evaluation })), {
          kind: 'policy-decision',
          id: 'd1',
        }),
      }),
    });
    expect(await openFormerDecision(await of('d1'), kek)).toEqual({
      decisionId: 'd1',
      decision: true,
      decidedAtMs: 1,
      evaluation,
    });
    await expect(openFormerDecision(await of('d2'), kek)).rejects.toMatchObject({ problem: 'wrong_key' });
  });

  it('are replayed against a candidate: how many would flip, whose, and which', async () => {
    const recorded = [
      ['alice', ['eng']],
      ['bob', []],
      ['bob', []],
      ['carol', ['sales']],
    ].map(([person, groups], n) => ({
      ...decided(person as string, groups as string[], n),
      decision: true,
      decisionId: `d${n}`,
    }));
    const report = await replayDecisions(recorded, { live: engineOn(all), candidate: engineOn(eng) }, {});
    expect(report).toMatchObject({
      replayed: 4,
      flipped: 3,
      toDenied: 3,
      toPermitted: 0,
      people: [
        ['bob', 2],
        ['carol', 1],
      ],
      tools: [['files/write', 3]],
    });
    expect(renderReplay(report)).toContain('would flip 3 of 4');
    const conditional = engineOn(`@scopes("x") ${all}`);
    expect(
      await replayDecisions(recorded, { live: engineOn(all), candidate: conditional }, {}),
    ).toMatchObject({
      flipped: 4,
      toConditional: 4,
    });
  });
});
