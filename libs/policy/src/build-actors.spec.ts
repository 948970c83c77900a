import { buildActors } from './build-actors.js';
import { InvalidEvaluation } from './invalid-evaluation.js';

describe('buildActors', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty chain', []],
  ])('knows no actors of %s', (_title, chain) => expect(buildActors(chain, undefined)).toEqual([]));

  it.each<[string, object]>([
    ['a plain actor', { sub: 'a', client_id: 'c', iss: 'https://as.example' }],
    [
      'one with members that mean nothing here',
      { sub: 'a', client_id: 'c', iss: 'https://as.example', x: 1 },
    ],
    [
      'one with members without a value',
      { sub: 'a', client_id: 'c', iss: 'https://as.example', x: undefined },
    ],
  ])('reads %s', (_title, actor) => {
    expect(buildActors([actor], 'https://as.example')).toEqual([
      {
        uid: { type: 'Agent', id: 'a' },
        attrs: { sub: 'a', client_id: 'c', iss: 'https://as.example' },
        parents: [],
      },
    ]);
  });

  it.each<[string, unknown]>([
    ['a text', 'a'],
    ['an actor that is a text', ['a']],
    ['an actor without a name', [{}]],
    ['an actor with an empty name', [{ sub: '' }]],
    ['an actor with a number for a name', [{ sub: 1 }]],
    ['a client that is none', [{ sub: 'a', client_id: 1 }]],
    ['an issuer that is none', [{ sub: 'a', iss: null }]],
    ['a chain that is too long', Array.from({ length: 6 }, (_, n) => ({ sub: `a${n}` }))],
  ])('refuses %s', (_title, chain) => expect(() => buildActors(chain, undefined)).toThrow(InvalidEvaluation));
});
