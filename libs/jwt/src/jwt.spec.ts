import { KeyObject } from 'node:crypto';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { peekClaim, signJwt, verifyJwt } from './index.js';

const now = 1_800_000_000;
const expected = {
  issuer: 'https://as.example',
  audience: 'https://rs.example',
  typ: 'at+jwt',
  algorithms: ['ES256', 'RS256'],
  requiredClaims: ['sub'],
  clockTolerance: 5,
  currentDate: new Date(now * 1000),
};
const claims = { iss: expected.issuer, aud: expected.audience, sub: 'alice', iat: now, exp: now + 60 };
const [es256, rs256, es384, stranger] = await Promise.all([
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('RS256', { extractable: true }),
  generateKeyPair('ES384'),
  generateKeyPair('ES256'),
]);
const publish = async (kid: string, key: CryptoKey) => ({ ...(await exportJWK(key)), kid });
const keys = createLocalJWKSet({
  keys: [
    await publish('es', es256.publicKey),
    await publish('rs', rs256.publicKey),
    await publish('es384', es384.publicKey),
  ],
});
const token = (
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = es256.privateKey,
): Promise<string> =>
  new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'es', typ: 'at+jwt', ...header })
    .sign(key);
/** Signed properly, whatever the parts hold. */
const signedParts = async (header: Uint8Array | object, payload: Uint8Array | object): Promise<string> => {
  const encode = (part: Uint8Array | object): string =>
    Buffer.from(part instanceof Uint8Array ? part : JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(payload)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, es256.privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
};
const usual = { alg: 'ES256', kid: 'es', typ: 'at+jwt' };
const outcome = (verifying: Promise<{ payload: unknown }>): Promise<unknown> =>
  verifying.then(
    ({ payload }) => payload,
    (error: { code?: string; claim?: string; reason?: string }) => [error.code, error.claim, error.reason],
  );
const bothOutcomes = async (jwt: string, by = keys) => ({
  ours: await outcome(verifyJwt(jwt, by, expected)),
  jose: await outcome(jwtVerify(jwt, by, { ...expected })),
});

describe('verifyJwt', () => {
  it('takes ES256 and RS256 tokens without Web Crypto, and gives back header and claims', async () => {
    const tokens = [await token(), await token({}, { alg: 'RS256', kid: 'rs' }, rs256.privateKey)];
    // Keys are imported by jose when they are first looked up.
    for (const jwt of tokens) await jwtVerify(jwt, keys);
    const subtle = jest.spyOn(crypto.subtle, 'verify');
    for (const jwt of tokens)
      expect(await verifyJwt(jwt, keys, expected)).toMatchObject({
        payload: claims,
        protectedHeader: { typ: 'at+jwt' },
      });
    expect(subtle).not.toHaveBeenCalled();
    subtle.mockRestore();
  });

  it.each<[string, () => Promise<string> | string]>([
    ['just still alive', () => token({ exp: now - 4 })],
    ['expired', () => token({ exp: now - 5 })],
    ['from the future', () => token({ nbf: now + 6 })],
    ['with times that are no numbers', () => token({ exp: '9999999999' })],
    ['with an iat that is no number', () => token({ iat: 'x' })],
    ['with an nbf that is null', () => token({ nbf: null })],
    ['for a list with us', () => token({ aud: ['https://other.example', expected.audience] })],
    ['for another', () => token({ aud: 'https://other.example' })],
    ['for nobody', () => token({ aud: undefined })],
    ['for an object', () => token({ aud: { 0: expected.audience } })],
    ['of another issuer', () => token({ iss: 'https://evil.example' })],
    ['of a list of issuers', () => token({ iss: [expected.issuer] })],
    ['without sub', () => token({ sub: undefined })],
    ['of another type', () => token({}, { typ: 'JWT' })],
    ['without a type', () => token({}, { typ: undefined })],
    ['of the type written out', () => token({}, { typ: 'application/AT+jwt' })],
    ['with an unknown kid', () => token({}, { kid: 'x' })],
    ['signed by a stranger', () => token({}, {}, stranger.privateKey)],
    ['HS256', () => token({}, { alg: 'HS256' }, Buffer.alloc(32, 1))],
    ['ES384', () => token({}, { alg: 'ES384', kid: 'es384' }, es384.privateKey)],
    ['ES256 by the name of a key for another curve', () => token({}, { kid: 'es384' })],
    ['ES256 by the name of an RSA key', () => token({}, { kid: 'rs' })],
    ['RS256 by the name of an EC key', () => token({}, { alg: 'RS256', kid: 'es' }, rs256.privateKey)],
    ['with an unknown extension', () => signedParts({ ...usual, crit: ['x'], x: 1 }, claims)],
    ['with an empty list of extensions', () => signedParts({ ...usual, crit: [] }, claims)],
    [
      'with a payload that is not encoded',
      () => signedParts({ ...usual, crit: ['b64'], b64: false }, claims),
    ],
    ['unsigned', () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
    ['a list', () => signedParts(usual, [claims])],
    ['not UTF-8', () => signedParts(usual, Buffer.from('7b2261223a22ff227d', 'hex'))],
    ['with a byte order mark', () => signedParts(usual, Buffer.from(`\uFEFF${JSON.stringify(claims)}`))],
    ['with a header that is a list', () => signedParts([], claims)],
    ['with a fourth part', async () => `${await token()}.`],
    ['padded', async () => `${await token()}==`],
    ['with a character too many in its signature', async () => `${await token()}A`],
    ['with white space', async () => ` ${await token()}`],
    ['empty', () => ''],
    ['two parts', () => 'a.b'],
  ])('says of a token that is %s what jose says', async (_title, make) => {
    const { ours, jose } = await bothOutcomes(await make());
    expect(ours).toEqual(jose);
  });

  it('says what jose says of tokens with any one character changed', async () => {
    const jwt = await token();
    const change = fc.tuple(
      fc.nat(jwt.length - 1),
      fc.constantFrom('A', 'z', '0', '-', '_', '.', '=', '+', '/', ' ', '\u00e9'),
      fc.constantFrom('replace', 'insert', 'cut'),
    );
    await fc.assert(
      fc.asyncProperty(change, async ([at, character, how]) => {
        const end = how === 'insert' ? at : at + 1;
        const changed = how === 'cut' ? jwt.slice(0, at) : jwt.slice(0, at) + character + jwt.slice(end);
        const { ours, jose } = await bothOutcomes(changed);
        expect(ours).toEqual(jose);
      }),
      { numRuns: 300 },
    );
  });

  it('believes nothing that was read ahead of another token, and gives every caller claims of their own', async () => {
    const [ours, others] = [await token(), await token({ sub: 'mallory' })];
    const signature = (jwt: string): string => jwt.split('.')[2] ?? '';
    const forged = others.replace(signature(others), signature(ours));
    for (const ahead of [others, forged]) {
      expect(peekClaim(ahead, 'sub')).toBe('mallory');
      expect(await verifyJwt(ours, keys, expected)).toMatchObject({ payload: { sub: 'alice' } });
    }
    expect(peekClaim(forged, 'sub')).toBe('mallory');
    await expect(verifyJwt(forged, keys, expected)).rejects.toThrow('signature verification failed');
    peekClaim(ours, 'sub');
    const [one, other] = [await verifyJwt(ours, keys, expected), await verifyJwt(ours, keys, expected)];
    one.payload['sub'] = 'mallory';
    expect(other.payload.sub).toBe('alice');
    // The header is one for all tokens that begin with it.
    expect(() => Object.assign(one.protectedHeader, { kid: 'x' })).toThrow(TypeError);
  });

  it('takes no private, secret or foreign key for one to verify with', async () => {
    const jwt = await token();
    for (const key of [es256.privateKey, rs256.publicKey, Buffer.alloc(32)] as const) {
      const { ours, jose } = await bothOutcomes(jwt, (async () => key) as unknown as typeof keys);
      expect(ours).toEqual(jose);
    }
  });

  it('passes on why keys could not be had', async () => {
    const failing = async (): Promise<never> => Promise.reject(new TypeError('fetch failed'));
    await expect(verifyJwt(await token(), failing, expected)).rejects.toThrow('fetch failed');
  });
});

describe('signJwt', () => {
  it.each([
    ['ES256', 'es', es256],
    ['RS256', 'rs', rs256],
  ] as const)('signs with %s what others verify', async (alg, kid, { privateKey }) => {
    const header = { alg, kid, typ: 'at+jwt' };
    const jwt = signJwt({ ...claims, name: 'Zoë' }, header, KeyObject.from(privateKey));
    const { payload, protectedHeader } = await jwtVerify(jwt, keys, { currentDate: expected.currentDate });
    expect(payload).toEqual({ ...claims, name: 'Zoë' });
    expect(protectedHeader).toEqual(header);
  });

  it('signs with no key that is for another algorithm', () => {
    const header = { alg: 'RS256', kid: 'rs', typ: 'at+jwt' } as const;
    expect(() => signJwt(claims, header, KeyObject.from(es256.privateKey))).toThrow(TypeError);
  });
});
