import { FakeClock } from '@behalf/testing';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type ExpectedJwt, IssuerKeySets, type KeySource, peekIssuer, verifyTrustedJwt } from './index.js';

const issuer = 'https://platform.example/cluster';
const jwksUri = 'https://platform.example/keys';
const us = 'https://as.example';

async function keyPair(kid: string, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg } as JWK };
}
type Pair = Awaited<ReturnType<typeof keyPair>>;

describe('tokens of other issuers', () => {
  let first: Pair;
  let second: Pair;
  let clock: FakeClock;
  let documents: Map<string, unknown>;
  let fetched: string[];
  let sets: IssuerKeySets;
  beforeAll(async () => {
    [first, second] = [await keyPair('one'), await keyPair('two')];
  });
  beforeEach(() => {
    clock = new FakeClock();
    fetched = [];
    documents = new Map<string, unknown>([[jwksUri, { keys: [first.publicJwk] }]]);
    sets = new IssuerKeySets({
      clock,
      fetchJson: async (url) => {
        fetched.push(url);
        if (!documents.has(url)) throw new Error('down');
        return documents.get(url);
      },
    });
  });

  const now = (): number => Math.floor(clock.nowMs() / 1000);
  const sign = (pair: Pair, claims: object = {}, header: object = {}): Promise<string> => {
    const all = { iss: issuer, sub: 'workload', aud: us, iat: now(), exp: now() + 60, ...claims };
    return new SignJWT(all)
      .setProtectedHeader({ alg: pair.alg, kid: pair.kid, ...header })
      .sign(pair.privateKey);
  };
  const verify = (
    token: string,
    { source, ...changes }: Partial<ExpectedJwt> & { source?: Partial<KeySource> } = {},
  ): Promise<string> =>
    verifyTrustedJwt(token, {
      issuer,
      keys: sets.keysOf({ issuer, jwksUri, ...source }),
      algorithms: ['ES256', 'RS256'],
      audiences: [us],
      types: [undefined, 'jwt'],
      maxLifetimeSeconds: 300,
      nowSeconds: now(),
      ...changes,
    }).then(
      ({ claims }) => claims.sub,
      (error: { code: string }) => error.code,
    );

  it('are verified with the keys of their issuer, which are fetched once', async () => {
    expect(await Promise.all([verify(await sign(first)), verify(await sign(first))])).toEqual([
      'workload',
      'workload',
    ]);
    expect(fetched).toEqual([jwksUri]);
  });

  it('are verified with configured keys, and nothing is fetched', async () => {
    const source = { jwks: { keys: [second.publicJwk] } };
    expect(await verify(await sign(second), { source })).toBe('workload');
    expect(await verify(await sign(first), { source })).toBe('invalid_token');
    expect(fetched).toEqual([]);
  });

  it('finds keys by the metadata of the issuer, OpenID’s or RFC 8414’s, if it is of this issuer', async () => {
    const source = { jwksUri: undefined };
    const metadata = 'https://platform.example/.well-known/oauth-authorization-server/cluster';
    documents.set(metadata, { issuer: 'https://evil.example', jwks_uri: jwksUri });
    expect(await verify(await sign(first), { source })).toBe('temporarily_unavailable');
    documents.set(metadata, { issuer, jwks_uri: jwksUri });
    clock.advanceSeconds(10);
    expect(await verify(await sign(first), { source })).toBe('workload');
    documents.set(`${issuer}/.well-known/openid-configuration`, { issuer, jwks_uri: jwksUri });
    clock.advanceSeconds(600);
    expect(await verify(await sign(first), { source })).toBe('workload');
    expect(fetched.slice(-2)).toEqual([`${issuer}/.well-known/openid-configuration`, jwksUri]);
  });

  it('a rotated key is found by its kid; unknown kids cost one fetch in ten seconds', async () => {
    expect(await verify(await sign(first))).toBe('workload');
    documents.set(jwksUri, { keys: [first.publicJwk, second.publicJwk] });
    expect(await verify(await sign(second))).toBe('invalid_token');
    clock.advanceSeconds(10);
    expect(await verify(await sign(second))).toBe('workload');
    for (let kid = 0; kid < 20; kid++)
      expect(await verify(await sign(first, {}, { kid: `unknown-${kid}` }))).toBe('invalid_token');
    expect(fetched).toHaveLength(2);
  });

  it('a rotated key is found where the clock was set back by minutes since the last look', async () => {
    expect(await verify(await sign(first))).toBe('workload');
    clock.advanceSeconds(-300);
    documents.set(jwksUri, { keys: [second.publicJwk] });
    expect(await verify(await sign(second))).toBe('workload');
    expect(fetched).toHaveLength(2);
  });

  it('a key that was withdrawn is no longer taken once the keys are looked at again', async () => {
    expect(await verify(await sign(first))).toBe('workload');
    documents.set(jwksUri, { keys: [second.publicJwk] });
    clock.advanceSeconds(600);
    expect(await verify(await sign(first))).toBe('invalid_token');
  });

  it('an outage is lived through for a day with the keys that are known, and never invents any', async () => {
    expect(await verify(await sign(first))).toBe('workload');
    documents.clear();
    clock.advanceSeconds(23 * 3600);
    expect(await verify(await sign(first))).toBe('workload');
    clock.advanceSeconds(3600);
    expect(await verify(await sign(first))).toBe('temporarily_unavailable');
    documents.set(jwksUri, { keys: [first.publicJwk] });
    clock.advanceSeconds(10);
    expect(await verify(await sign(first))).toBe('workload');
  });

  it.each([
    'a text',
    { keys: 'x' },
    { keys: [{}] },
    { keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) },
  ])('a key set that is none (%#) leaves the keys as they are', async (document) => {
    expect(await verify(await sign(first))).toBe('workload');
    documents.set(jwksUri, document);
    clock.advanceSeconds(600);
    expect(await verify(await sign(first))).toBe('workload');
  });

  it('refuses: symmetric keys in a set, alg none, HS256 over the public key', async () => {
    const secret = Buffer.alloc(32, 7);
    const oct = { kty: 'oct', kid: 'one', k: secret.toString('base64url'), alg: 'HS256' };
    documents.set(jwksUri, { keys: [oct] });
    const claims = { iss: issuer, sub: 'workload', aud: us, exp: now() + 60 };
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
    expect(await verify(hmac, { algorithms: ['HS256', 'ES256'] })).toBe('invalid_token');
    const none = [{ alg: 'none' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    expect(await verify(`${none.join('.')}.`, { algorithms: ['none'] })).toBe('invalid_token');
  });

  it.each<[string, object, object?]>([
    ['of another issuer', { iss: 'https://other.example' }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'https://other.example' }],
    ['for two audiences', { aud: [us, 'https://other.example'] }],
    ['for nobody', { aud: undefined }],
    ['about nobody', { sub: undefined }],
    ['about an empty subject', { sub: '' }],
    ['that never expires', { exp: undefined }],
    ['that has expired', { iat: 1, exp: 2 }],
    ['from the future', { iat: 4_000_000_000, exp: 4_000_000_060 }],
    ['not good yet', { nbf: 4_000_000_000 }],
    ['that lives for an hour', { exp: 3600 }],
    ['of another type', {}, { typ: 'at+jwt' }],
    ['of a key in its header', {}, { kid: 'x', jwk: {} }],
    ['of a key at a URL', {}, { kid: 'x', jku: 'https://evil.example' }],
    ['of a kid that is a path', {}, { kid: '../../etc/passwd' }],
  ])('refuses a token %s', async (_title, claims, header = {}) => {
    const { exp } = claims as { exp?: number };
    const lasting = exp === 3600 ? { exp: now() + 3600 } : claims;
    expect(await verify(await sign(first, lasting, header))).toBe('invalid_token');
  });

  it('refuses a token that is far too large, and rubbish', async () => {
    for (const token of ['x'.repeat(20_000), 'a.b.c', '']) expect(await verify(token)).toBe('invalid_token');
  });

  it('refuses an algorithm that the issuer is not known for', async () => {
    expect(await verify(await sign(first), { algorithms: ['RS256'] })).toBe('invalid_token');
  });

  it('peeks at the issuer without trusting it', async () => {
    expect(peekIssuer(await sign(first))).toBe(issuer);
    expect(peekIssuer(await sign(first, { iss: 7 }))).toBeUndefined();
    expect(peekIssuer('rubbish')).toBeUndefined();
  });
});
