import fc from 'fast-check';
import { type ScopeHierarchy, coversScopes, leastScopes } from './scope-hierarchy.js';

const github = { repo: ['public_repo', 'repo:status'], admin: ['repo'] };

it.each<[string[], string[], boolean]>([
  [['repo'], ['public_repo'], true],
  [['admin'], ['public_repo', 'repo'], true],
  [['public_repo'], ['repo'], false],
  [['repo'], ['public_repo', 'gist'], false],
  [[], [], true],
  [[], ['repo'], false],
  [['toString'], ['repo'], false],
])('%j covers %j: %j', (held, wanted, covers) => {
  expect(coversScopes(held, wanted, github)).toBe(covers);
});

it('compares byte for byte where nothing is said of a scope', () => {
  expect(coversScopes(['repo'], ['public_repo'])).toBe(false);
  expect(coversScopes(['Repo'], ['repo'], github)).toBe(false);
});

it('says nothing twice', () => {
  expect(leastScopes(['public_repo', 'repo', 'gist', 'gist'], github)).toEqual(['repo', 'gist']);
  expect(leastScopes(['public_repo'], github)).toEqual(['public_repo']);
  expect(leastScopes(['repo', 'public_repo', 'repo'])).toEqual(['repo', 'public_repo']);
});

const scope = fc.constantFrom('a', 'b', 'c', 'd');
const scopes = fc.array(scope, { maxLength: 6 });
const hierarchies: fc.Arbitrary<ScopeHierarchy> = fc.dictionary(scope, scopes);

it('gives the same with less, whatever the hierarchy, circles included', () => {
  fc.assert(
    fc.property(scopes, hierarchies, (asked, hierarchy) => {
      const least = leastScopes(asked, hierarchy);
      expect(asked).toEqual(expect.arrayContaining(least));
      expect(coversScopes(least, asked, hierarchy)).toBe(true);
    }),
  );
});
