import type { CedarRequest, PolicyBundle, PolicyEngine } from '@behalf/policy';

const schema = `
  entity Team in [Team];
  entity User in [Team] { suspended?: Bool };
  entity Agent;
  entity McpServer;
  entity Tool in [McpServer] { name: String };
  action "read";
  action "tools/list", "tools/call" in [Action::"read"] appliesTo {
    principal: [User], resource: [Tool],
    context: { actors: Set<Agent>, depth: Long, arguments: { path?: String, price?: decimal } }
  };`;

function bundle(policies: string, more: Partial<PolicyBundle> = {}): PolicyBundle {
  return { version: 'v1', schema, policies: [{ file: 'test.cedar', text: policies }], ...more };
}

const person = { type: 'User', id: 'alice' };
/** With its slot's name in a comment, a text and an id, where it has to stay. */
const template = `// ?principal
  @id("t") permit(principal == ?principal, action, resource)
  when { resource == Tool::"?principal" || resource.name != "?principal" };`;
const link = (templateId: string, newId: string, values: object = { '?principal': person }) => ({
  templateId,
  newId,
  values,
});

function call(change: Partial<CedarRequest> = {}, args: CedarRequest['context'] = {}): CedarRequest {
  return {
    principal: { type: 'User', id: 'alice' },
    action: { type: 'Action', id: 'tools/call' },
    resource: { type: 'Tool', id: 'files/read' },
    context: { actors: [], depth: 0, arguments: args },
    entities: [
      { uid: { type: 'User', id: 'alice' }, attrs: {}, parents: [{ type: 'Team', id: 'eng' }] },
      {
        uid: { type: 'Tool', id: 'files/read' },
        attrs: { name: 'read' },
        parents: [{ type: 'McpServer', id: 'files' }],
      },
    ],
    ...change,
  };
}

/** What every policy engine guarantees: Cedar's answer with its reasons, and that only a valid bundle ever decides. */
export function describePolicyEngine(name: string, open: () => PolicyEngine): void {
  describe(`policy engine: ${name}`, () => {
    let engine: PolicyEngine;
    beforeEach(() => {
      engine = open();
    });
    const load = (policies: string, more?: Partial<PolicyBundle>) => engine.load(bundle(policies, more));
    const errorsOf = (problems: ReturnType<PolicyEngine['load']>) =>
      problems.filter((one) => one.severity === 'error');

    it('decides nothing before it has a bundle', () => {
      expect(engine.version).toBeUndefined();
      expect(() => engine.decide(call())).toThrow(expect.objectContaining({ name: 'PolicyEngineError' }));
    });

    it.each<[string, string, 'allow' | 'deny', string[]]>([
      ['an empty bundle', '', 'deny', []],
      ['a permit', '@id("p") permit(principal, action, resource);', 'allow', ['p']],
      [
        'a permit and a forbid',
        '@id("p") permit(principal, action, resource); @id("f") forbid(principal in Team::"eng", action, resource);',
        'deny',
        ['f'],
      ],
      ['a team', '@id("p") permit(principal in Team::"eng", action, resource);', 'allow', ['p']],
      ['another team', '@id("p") permit(principal in Team::"ops", action, resource);', 'deny', []],
      ['a server', '@id("p") permit(principal, action, resource in McpServer::"files");', 'allow', ['p']],
      [
        'a group of actions',
        '@id("p") permit(principal, action in Action::"read", resource);',
        'allow',
        ['p'],
      ],
      [
        'two permits, sorted',
        '@id("q") permit(principal,action,resource); @id("p") permit(principal,action,resource);',
        'allow',
        ['p', 'q'],
      ],
    ])('answers %s', (_, policies, decision, determining) => {
      expect(errorsOf(load(policies))).toEqual([]);
      expect(engine.decide(call())).toEqual({ decision, determining, erring: [], policyVersion: 'v1' });
    });

    it('names policies without an id after their file and place, in order', () => {
      const policies = Array.from(
        { length: 12 },
        (_, n) => `permit(principal, action, resource) when { context.depth == ${n} };`,
      );
      load(policies.join('\n'));
      expect(engine.decide(call()).determining).toEqual(['test.cedar#1']);
      expect(engine.decide(call({ context: { actors: [], depth: 10, arguments: {} } })).determining).toEqual([
        'test.cedar#11',
      ]);
    });

    it('reports policies that err with their effect, and skips them', () => {
      load(`
        @id("p") permit(principal, action, resource);
        @id("f") forbid(principal, action, resource) when { context.arguments has path && context.arguments.path like "*.env" };
        @id("q") permit(principal, action, resource) when { context.arguments has path && context.arguments.path like "*" };`);
      expect(engine.decide(call({}, { path: 7 }))).toEqual({
        decision: 'allow',
        determining: ['p'],
        erring: [
          { id: 'f', effect: 'forbid' },
          { id: 'q', effect: 'permit' },
        ],
        policyVersion: 'v1',
      });
    });

    it('compares decimals as decimals', () => {
      load(
        'permit(principal, action, resource) when { context.arguments has price && context.arguments.price.lessThan(decimal("2.0")) };',
      );
      const decide = (arg: string) =>
        engine.decide(call({}, { price: { __extn: { fn: 'decimal', arg } } })).decision;
      expect([decide('1.9999'), decide('2.0')]).toEqual(['allow', 'deny']);
    });

    it('compares integers beyond the exact numbers of JSON', () => {
      load(
        '@id("p") permit(principal, action, resource) when { context.depth + 9007199254740993 == 9007199254740994 };',
      );
      expect(engine.decide(call({ context: { actors: [], depth: 1, arguments: {} } })).determining).toEqual([
        'p',
      ]);
      expect(engine.decide(call({ context: { actors: [], depth: 0, arguments: {} } })).determining).toEqual(
        [],
      );
    });

    it('takes arguments that the schema does not name', () => {
      load('permit(principal, action, resource);');
      expect(engine.decide(call({}, { other: [1, 'two', { deep: true }] })).decision).toBe('allow');
    });

    it('takes any id as it is', () => {
      load('@id("p") permit(principal == User::"alice", action, resource);');
      const id = 'alice", action, resource); permit(principal';
      expect(engine.decide(call({ principal: { type: 'User', id }, entities: [] })).decision).toBe('deny');
    });

    it('denies actions and principals that no policy names', () => {
      load('permit(principal is User, action == Action::"tools/list", resource);');
      expect(engine.decide(call({ action: { type: 'Action', id: 'tools/unheard-of' } })).decision).toBe(
        'deny',
      );
      expect(engine.decide(call({ principal: { type: 'Agent', id: 'alice' } })).decision).toBe('deny');
    });

    it('answers the items of a list as it answers them alone, by the bundle that the list was made of', () => {
      load('@id("p") permit(principal in Team::"eng", action, resource == Tool::"files/read");');
      const { principal, context, entities } = call();
      const list = engine.list({ principal, context, entities: entities.slice(0, 1) });
      const items = ['files/read', 'files/write'].map((id) => ({
        action: { type: 'Action', id: 'tools/call' },
        resource: { type: 'Tool', id },
        entities: [],
      }));
      expect(list.policyVersion).toBe('v1');
      expect(items.map((item) => list.decide(item))).toEqual(
        items.map((item) => engine.decide(call({ resource: item.resource, entities: entities.slice(0, 1) }))),
      );
      expect(items.map((item) => list.decide(item).decision)).toEqual(['allow', 'deny']);
    });

    it('says what is certain while the arguments are not known', () => {
      load(`
        @id("always") permit(principal, action, resource);
        @id("some") forbid(principal, action, resource)
          when { context.arguments has path && context.arguments.path like "*.env" && context.depth == 0 };
        @id("never") forbid(principal, action, resource)
          when { context.arguments has path && context.arguments.path like "*.env" && context.depth == 1 && false };
        @id("errs") forbid(principal, action, resource)
          when { context.depth + 9223372036854775807 == 1 && context.arguments has path };
        @id("elsewhere") permit(principal in Team::"ops", action, resource) when { context.arguments has path };`);
      const { principal, context, entities, action, resource } = call({
        context: { actors: [], depth: 1, arguments: {} },
      });
      const { satisfied, erring, possible } = engine
        .list({ principal, context, entities })
        .preview({ action, resource, entities: [] });
      expect({ satisfied, erring }).toEqual({
        satisfied: [{ id: 'always', effect: 'permit' }],
        erring: [{ id: 'errs', effect: 'forbid' }],
      });
      const unsettled = engine
        .list({ principal, context: { ...context, depth: 0 }, entities })
        .preview({ action, resource, entities: [] }).possible;
      const some = unsettled.find(({ id }) => id === 'some');
      expect(some).toMatchObject({ effect: 'forbid', mayHold: true, mayFail: true });
      expect(some?.when).toContain('context.arguments.path like "*.env"');
      // What is left out is certain not to match; an engine may leave more open than it has to.
      expect(possible.every(({ id }) => id === 'some' || id === 'never')).toBe(true);
    });

    it("lets the bundle's entities say what the request's cannot overwrite", () => {
      const alice = { uid: { type: 'User', id: 'alice' }, attrs: { suspended: true }, parents: [] };
      load(
        `permit(principal, action, resource in McpServer::"files");
         @id("f") forbid(principal, action, resource) when { principal has suspended && principal.suspended };`,
        { entities: [alice] },
      );
      const lying = call().entities.map((entity) => ({
        ...entity,
        attrs: { ...entity.attrs, suspended: false },
      }));
      expect(engine.decide(call({ entities: lying })).determining).toEqual(['f']);
    });

    it('puts teams of the bundle above teams of the request', () => {
      const eng = { uid: { type: 'Team', id: 'eng' }, attrs: {}, parents: [{ type: 'Team', id: 'staff' }] };
      load('permit(principal in Team::"staff", action, resource);', { entities: [eng] });
      expect(engine.decide(call()).decision).toBe('allow');
    });

    it.each<[string, string, Partial<PolicyBundle>]>([
      ['that does not parse', 'permit(principal', {}],
      ['with an unknown action', 'permit(principal, action == Action::"nope", resource);', {}],
      [
        'that reads an undeclared attribute',
        'permit(principal, action, resource) when { resource.owner == "x" };',
        {},
      ],
      [
        'that reads an optional argument unguarded',
        'permit(principal, action, resource) when { context.arguments.path == "x" };',
        {},
      ],
      [
        'that compares a text with a number',
        'permit(principal, action, resource) when { resource.name == 1 };',
        {},
      ],
      [
        'with one id twice',
        '@id("a") permit(principal,action,resource); @id("a") forbid(principal,action,resource);',
        {},
      ],
      ['with a template that links cannot name', 'permit(principal == ?principal, action, resource);', {}],
      ['whose links are no links', template, { links: [{ templateId: 't' }] }],
      ['whose link names no template', template, { links: [link('other', 'l')] }],
      ['whose link leaves a slot open', template, { links: [link('t', 'l', {})] }],
      [
        'whose link fills a slot that is not there',
        template,
        { links: [link('t', 'l', { '?principal': person, '?resource': person })] },
      ],
      ['whose links share a name', template, { links: [link('t', 'l'), link('t', 'l')] }],
      ['whose link is called as its template', template, { links: [link('t', 't')] }],
      [
        'whose link is of a type that no request has',
        template,
        { links: [link('t', 'l', { '?principal': { type: 'Nobody', id: 'x' } })] },
      ],
      [
        'whose link breaks out of its quotes',
        template,
        {
          links: [
            link('t', 'l', {
              '?principal': { type: 'User::"x", action, resource); permit(principal == User', id: 'x' },
            }),
          ],
        },
      ],
      // Each of these would trap the parser or evaluator inside WebAssembly, and with it every later decision.
      [
        'with brackets nested by hundreds',
        `permit(principal, action, resource) when { ${'('.repeat(300)}true${')'.repeat(300)} };`,
        {},
      ],
      [
        'with a chain of hundreds',
        `permit(principal, action, resource) when { ${Array(500).fill('context.depth == 1').join(' || ')} };`,
        {},
      ],
      [
        'with hundreds of ifs',
        `permit(principal, action, resource) when { ${'if context.depth == 1 then true else '.repeat(1000)}true };`,
        {},
      ],
      [
        'with a path of hundreds',
        `permit(principal, action, resource) when { context${'.a'.repeat(500)} };`,
        {},
      ],
      [
        'whose schema nests by hundreds',
        '',
        { schema: `type T = ${'Set<'.repeat(300)}Long${'>'.repeat(300)};` },
      ],
      ['whose schema does not parse', '', { schema: 'entity' }],
      [
        'whose entities do not fit the schema',
        '',
        { entities: [{ uid: { type: 'Team', id: 'a' }, attrs: { x: 1 }, parents: [] }] },
      ],
      ['whose entities are no list', '', { entities: {} }],
      ['whose entities are no entities', '', { entities: [7] }],
    ])('refuses a bundle %s, and keeps the one before', (_, policies, more) => {
      load('@id("before") permit(principal, action, resource);');
      const problems = load(policies, { version: 'v2', ...more });
      expect(errorsOf(problems)).not.toEqual([]);
      expect(problems.every((one) => one.file !== undefined)).toBe(true);
      expect(engine.version).toBe('v1');
      expect(engine.decide(call())).toMatchObject({ determining: ['before'], policyVersion: 'v1' });
    });

    it('decides by the links of a template, each under its own name', () => {
      const odd = 'o"dd\\\n?principal';
      const links = [
        link('t', 'alice-may'),
        link('t', 'odd "one"', { '?principal': { type: 'User', id: odd } }),
        link('on', 'files', { '?resource': { type: 'McpServer', id: 'files' } }),
      ];
      const on = '@id("on") forbid(principal is User in Team::"ops", action, resource in ?resource);';
      expect(errorsOf(load(`${template}\n${on}`, { links }))).toEqual([]);
      expect(engine.decide(call()).determining).toEqual(['alice-may']);
      const as = (id: string, team: string) =>
        engine.decide(
          call({
            principal: { type: 'User', id },
            entities: [
              { uid: { type: 'User', id }, attrs: {}, parents: [{ type: 'Team', id: team }] },
              ...call().entities.slice(1),
            ],
          }),
        );
      expect(as(odd, 'eng')).toMatchObject({ decision: 'allow', determining: ['odd "one"'] });
      expect(as('bob', 'eng')).toMatchObject({ decision: 'deny', determining: [] });
      expect(as('alice', 'ops')).toMatchObject({ decision: 'deny', determining: ['files'] });
    });

    it('warns of a template that nothing links', () => {
      expect(load(template)).toMatchObject([{ severity: 'warning', policy: 't', file: 'test.cedar' }]);
      expect(engine.decide(call()).decision).toBe('deny');
    });

    it('replaces a bundle whole', () => {
      load('@id("before") permit(principal, action, resource);');
      load('@id("after") forbid(principal, action, resource);', { version: 'v2' });
      expect(engine.decide(call())).toMatchObject({
        decision: 'deny',
        determining: ['after'],
        policyVersion: 'v2',
      });
    });

    it('warns of a policy that can never apply, and takes the bundle', () => {
      const problems = load('@id("p") permit(principal, action, resource) when { 1 == 2 };');
      expect(problems).toMatchObject([{ severity: 'warning', policy: 'p', file: 'test.cedar' }]);
      expect(engine.version).toBe('v1');
    });

    it('keeps engines apart', () => {
      const other = open();
      load('permit(principal, action, resource);');
      other.load(bundle('forbid(principal, action, resource);'));
      expect([engine.decide(call()).decision, other.decide(call()).decision]).toEqual(['allow', 'deny']);
    });

    it('refuses a request it cannot read, and still answers the next', () => {
      load('permit(principal, action, resource);');
      expect(() => engine.decide(call({}, { path: '\ud800' }))).toThrow(
        expect.objectContaining({ name: 'PolicyEngineError' }),
      );
      expect(engine.decide(call()).decision).toBe('allow');
    });
  });
}
