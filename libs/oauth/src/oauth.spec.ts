import fc from 'fast-check';
import {
  OAuthError,
  ScopeSet,
  actClaimSchema,
  actorChain,
  actorNames,
  chainDepth,
  nestActor,
  oauthErrorCodes,
  encodedChainBytes,
  isScopeText,
  parseScope,
} from './index.js';

describe('OAuthError', () => {
  it('RFC 6749 §5.2: leaves as error and error_description in the allowed characters', () => {
    expect(new OAuthError('invalid_scope', 'say "\u00fc\\" \n').toJSON()).toEqual({
      error: 'invalid_scope',
      error_description: 'say ???? ?',
    });
  });

  it('has the status of its code unless told otherwise', () => {
    expect(new OAuthError('invalid_token', '').status).toBe(oauthErrorCodes.invalid_token.status);
    expect(new OAuthError('invalid_request', '', { status: 413 }).status).toBe(413);
  });

  it('carries what its definition adds, and keeps the cause for the log alone', () => {
    const error = new OAuthError('slow_down', 'not yet', {
      parameters: { interval: 5 },
      cause: 'asked too soon',
    });
    expect(error.toJSON()).toEqual({ interval: 5, error: 'slow_down', error_description: 'not yet' });
    expect(error).toMatchObject({
      name: 'OAuthError',
      message: expect.stringContaining('slow_down') as string,
      cause: 'asked too soon',
    });
    expect(new OAuthError('slow_down', '').toJSON()).toEqual({ error: 'slow_down', error_description: '' });
  });
});

describe('parseScope', () => {
  it('RFC 6749 §3.3: separates by spaces and keeps case', () => {
    expect([...parseScope('a  B mcp:tools a')]).toEqual(['a', 'B', 'mcp:tools']);
    expect(parseScope(undefined).size).toBe(0);
    expect(parseScope('').size).toBe(0);
  });

  it.each(['mcp:tools a"b', 'a\tb', 'a\u00a0b', 'a"b', 'a\\b', 'a\u0301', 'a\nb'])('refuses %j', (text) => {
    const read = (): unknown => parseScope(text);
    expect(read).toThrow(OAuthError);
    expect(read).toThrow(
      expect.objectContaining({ code: 'invalid_scope', description: expect.stringMatching(/./) as string }),
    );
  });
});

describe('isScopeText', () => {
  it.each<[unknown, boolean]>([
    ['a', true],
    ['mcp:tools files:write', true],
    ['', false],
    [' a', false],
    ['a  b', false],
    ['mcp:tools a"b', false],
    [['a'], false],
    [7, false],
    [undefined, false],
  ])('RFC 6749 §3.3: %j is scope: %j', (value, expected) => {
    expect(isScopeText(value)).toBe(expected);
  });
});

describe('ScopeSet', () => {
  const set = fc.subarray(['a', 'b', 'c', 'd']).map((values) => new ScopeSet(values));

  it('RFC 6749 §3.3: is a subset only with each of its values in the other, byte for byte', () => {
    const held = new ScopeSet(['mcp:tools', 'files:write']);
    expect(new ScopeSet(['files:write', 'mcp:tools']).isSubsetOf(held)).toBe(true);
    expect(new ScopeSet().isSubsetOf(held)).toBe(true);
    for (const beyond of [['mail:send'], ['mcp:tools', 'mail:send'], ['MCP:tools'], ['mcp']]) {
      expect(new ScopeSet(beyond).isSubsetOf(held)).toBe(false);
    }
    expect(held.isSubsetOf(new ScopeSet())).toBe(false);
  });

  it('RFC 6749 §3.3: is written with one space between two values', () => {
    expect(new ScopeSet(['b', 'a', 'b']).toString()).toBe('b a');
    expect(new ScopeSet().toString()).toBe('');
  });

  it('never widens by intersection, never loses by union', () => {
    fc.assert(
      fc.property(set, set, (one, other) => {
        expect(one.intersect(other).isSubsetOf(one)).toBe(true);
        expect(one.intersect(other).isSubsetOf(other)).toBe(true);
        expect(one.isSubsetOf(one.union(other))).toBe(true);
        expect([...one.without(other)].some((value) => other.has(value))).toBe(false);
        expect(one.without(other).union(one.intersect(other)).size).toBe(one.size);
      }),
    );
  });
});

describe('the act chain', () => {
  const actors = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });

  it('RFC 8693 §4.1: reads back the actors it was built from, the current one first', () => {
    fc.assert(
      fc.property(actors, (names) => {
        const chain = names.reduce(
          (earlier, sub) => nestActor({ sub }, earlier),
          nestActor({ sub: 'first' }, undefined),
        );
        expect(actorChain(chain).map((actor) => actor.sub)).toEqual([...names].toReversed().concat('first'));
        expect(chainDepth(chain)).toBe(names.length + 1);
      }),
    );
  });

  it('RFC 8693 §4.1: takes actors with their issuer and client, and adds no member of its own', () => {
    const chain = {
      sub: 'gateway',
      client_id: 'gateway',
      act: { sub: 'agent', iss: 'https://as.example', act: { sub: 'editor' } },
    };
    expect(actClaimSchema.parse(chain)).toStrictEqual(chain);
    expect(nestActor({ sub: 'gateway' }, undefined)).toStrictEqual({ sub: 'gateway' });
  });

  it('attack: an actor of another issuer is not called as one of ours', () => {
    expect(actorNames({ sub: 'gateway', act: { sub: 'gateway', iss: 'https://idp.example' } })).toEqual([
      'gateway',
      'https://idp.example#gateway',
    ]);
    expect(actorNames(undefined)).toEqual([]);
  });

  it('is measured in the bytes that it takes in a token, not in characters', () => {
    expect(encodedChainBytes({ sub: 'u' })).toBe(11);
    expect(encodedChainBytes({ sub: '\u00fc' })).toBe(12);
  });

  it.each([{}, { sub: '' }, 'gateway', { sub: 'a', act: 'b' }, { sub: 'a', act: { iss: 'x' } }, []])(
    'refuses %j as an act claim',
    (claim) => {
      expect(actClaimSchema.safeParse(claim).success).toBe(false);
    },
  );
});
