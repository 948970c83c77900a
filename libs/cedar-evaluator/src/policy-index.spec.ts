import fc from 'fast-check';
import { PolicyCompiler } from './compile-policy.js';
import { EntityStore } from './entity-store.js';
import { EntityUid, type EntityUidJson } from './entity-uid.js';
import { PolicyIndex } from './policy-index.js';
import type { ActionScopeJson, ScopeJson } from './policy-json.js';

const uid = (type: string) => fc.record({ type: fc.constant(type), id: fc.constantFrom('a', 'b', 'c', 'd') });
const scope = (type: string): fc.Arbitrary<ScopeJson> =>
  fc.oneof(
    fc.constant<ScopeJson>({ op: 'All' }),
    uid(type).map((entity): ScopeJson => ({ op: '==', entity })),
    uid(type).map((entity): ScopeJson => ({ op: 'in', entity })),
    fc.constantFrom(type, 'Other').map((entity_type): ScopeJson => ({ op: 'is', entity_type })),
    uid(type).map((entity): ScopeJson => ({ op: 'is', entity_type: type, in: { entity } })),
  );
const actionScope: fc.Arbitrary<ActionScopeJson> = fc.oneof(
  fc.constant<ActionScopeJson>({ op: 'All' }),
  uid('Action').map((entity): ActionScopeJson => ({ op: '==', entity })),
  fc
    .array(uid('Action'), { minLength: 1, maxLength: 3 })
    .map((entities): ActionScopeJson => ({ op: 'in', entities })),
);
const anything = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } } as const;
const head = fc.record({ principal: scope('User'), action: actionScope, resource: scope('Tool') });
/** Few of them about many things, or many about one. */
const heads = fc.oneof(
  fc.array(head, { maxLength: 20 }),
  fc.array(
    scope('User').map((principal) => ({ ...anything, principal })),
    { minLength: 9, maxLength: 30 },
  ),
);
/** Of each type an entity, and what it is in. */
const part = (type: string) =>
  fc.record({ uid: uid(type), parents: fc.uniqueArray(uid(type), { maxLength: 2 }) });
const request = fc.record({ principal: part('User'), action: part('Action'), resource: part('Tool') });

const isSame = (one: EntityUidJson, other: EntityUidJson): boolean =>
  one.type === other.type && one.id === other.id;

it('finds the policies whose heads a request meets, each once, however many there are', () => {
  fc.assert(
    fc.property(heads, request, (all, given) => {
      const compiler = new PolicyCompiler();
      const policies = all.map((json, n) =>
        compiler.compile({ id: `p${n}`, json: { effect: 'permit', conditions: [], ...json } }),
      );
      const parts = [given.principal, given.action, given.resource].map((one) => ({
        uid: one.uid,
        attrs: {},
        parents: one.parents.filter((parent) => !isSame(parent, one.uid)),
      }));
      const entities = EntityStore.read(parts);
      const subject = (one: EntityUidJson) => {
        const read = EntityUid.read(one);
        return { uid: read, entity: entities.get(read.key) };
      };
      const isWithin = (one: (typeof parts)[number], container: EntityUidJson): boolean =>
        isSame(one.uid, container) || one.parents.some((parent) => isSame(parent, container));
      const meets = (json: ScopeJson | ActionScopeJson, one: (typeof parts)[number]): boolean => {
        if (json.op === 'All') return true;
        if (json.op === 'is')
          return (
            one.uid.type === json.entity_type &&
            (!json.in || isWithin(one, (json.in as { entity: EntityUidJson }).entity))
          );
        if ('entities' in json)
          return json.entities.some((container) => isWithin(one, container as EntityUidJson));
        const { entity } = json as { entity: EntityUidJson };
        return json.op === '==' ? isSame(one.uid, entity) : isWithin(one, entity);
      };
      const [principal, action, resource] = parts as [
        (typeof parts)[0],
        (typeof parts)[0],
        (typeof parts)[0],
      ];
      const expected = all.flatMap((json, n) =>
        meets(json.principal, principal) && meets(json.action, action) && meets(json.resource, resource)
          ? [`p${n}`]
          : [],
      );
      const found = new PolicyIndex(policies).applicable({
        principal: subject(given.principal.uid),
        action: subject(given.action.uid),
        resource: subject(given.resource.uid),
      });
      expect(found.map(({ id }) => id).sort()).toEqual(expected.sort());
    }),
    { numRuns: 500 },
  );
});
