import { RevocationView } from '@behalf/revocation';
import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';
import { AccessTokenVerifier } from './index.js';

const issuer = 'https://as.example';
const resource = 'https://gw.example/mcp/x';
const now = 1_800_000_000;
const clock = { nowMs: () => now * 1000 };
const es256 = await generateKeyPair('ES256');
const rs256 = await generateKeyPair('RS256');
const foreign = await generateKeyPair('ES256');
const hmac = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const publicJwk = { ...(await exportJWK(es256.publicKey)), kid: 'es', alg: 'ES256' };
const keys = createLocalJWKSet({
  keys: [publicJwk, { ...(await exportJWK(rs256.publicKey)), kid: 'rs', alg: 'RS256' }],
});

const claims = {
  iss: issuer,
  sub: 'alice',
  aud: resource,
  client_id: 'editor',
  scope: 'mcp:tools',
  iat: now,
  exp: now + 60,
  jti: 'j',
  grant_id: 'g',
  sid: 's',
  txn: 't',
  act: { sub: 'agent' },
};

function token(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = es256.privateKey,
): Promise<string> {
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'es', typ: 'at+jwt', ...header })
    .sign(key);
}

const unsigned = (alg: string): string =>
  [{ alg, typ: 'at+jwt', kid: 'es' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.') + '.';

function verifier(load = true): { verifier: AccessTokenVerifier; revocations: RevocationView } {
  const revocations = new RevocationView(clock);
  if (load) revocations.load([]);
  return { revocations, verifier: new AccessTokenVerifier({ issuer, keys, revocations, clock }) };
}

describe('AccessTokenVerifier', () => {
  it('RFC 9068 §4: takes our ES256 and RS256 tokens for this resource', async () => {
    expect(await verifier().verifier.verify(await token(), resource)).toMatchObject({
      sub: 'alice',
      act: { sub: 'agent' },
    });
    const rs = await token({}, { alg: 'RS256', kid: 'rs' }, rs256.privateKey);
    expect(await verifier().verifier.verify(rs, resource)).toMatchObject({ sub: 'alice' });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['expired', () => token({ exp: now - 6 })],
    ['from the future', () => token({ nbf: now + 60 })],
    ['for another resource', () => token({ aud: 'https://gw.example/mcp/y' })],
    ['for several resources', () => token({ aud: [resource, 'https://other.example'] })],
    ['for a resource with a slash more', () => token({ aud: `${resource}/` })],
    ['of another issuer', () => token({ iss: 'https://evil.example' })],
    ['signed by a foreign key under our kid', () => token({}, {}, foreign.privateKey)],
    ['with an unknown kid', () => token({}, { kid: '../../etc/passwd' })],
    ['alg none', () => unsigned('none')],
    ['alg None', () => unsigned('None')],
    ['HS256 with a public key as secret', () => token({}, { alg: 'HS256' }, hmac)],
    ['an ID token', () => token({}, { typ: 'JWT' })],
    [
      'a token with a key of its own in the header',
      () => token({}, { jwk: publicJwk, kid: 'mine' }, foreign.privateKey),
    ],
    [
      'a token that names its key by URL',
      () => token({}, { jku: 'https://evil.example/jwks', kid: 'mine' }, foreign.privateKey),
    ],
    ['without client_id', () => token({ client_id: undefined })],
    ['without jti', () => token({ jti: undefined })],
    ['without exp', () => token({ exp: undefined })],
    ['with a malformed act', () => token({ act: { sub: 'a', act: 'b' } })],
    ['sender-constrained, which is no bearer token', () => token({ cnf: { jkt: 'x' } })],
    ['bound in a way that is not understood', () => token({ cnf: { kid: 'x' } })],
    ['bound to nothing', () => token({ cnf: {} })],
    ['rubbish', () => 'a.b.c'],
    ['far too large', () => `${'a'.repeat(20_000)}.b.c`],
  ])('refuses a token that is %s', async (_title, make) => {
    await expect(verifier().verifier.verify(await make(), resource)).rejects.toMatchObject({
      code: 'invalid_token',
      status: 401,
    });
  });

  it.each([
    ['token', 'j'],
    ['grant', 'g'],
    ['session', 's'],
    ['transaction', 't'],
    ['client', 'editor'],
    ['client', 'agent'],
  ] as const)('refuses a token whose %s %s was revoked, and no other', async (kind, id) => {
    const { verifier: under, revocations } = verifier();
    revocations.add({ kind, id: `not-${id}`, revokedAtMs: 0, expiresAtMs: (now + 60) * 1000 });
    await expect(under.verify(await token(), resource)).resolves.toBeDefined();
    revocations.add({ kind, id, revokedAtMs: 0, expiresAtMs: (now + 60) * 1000 });
    await expect(under.verify(await token(), resource)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('refuses everything while revocations are not known', async () => {
    await expect(verifier(false).verifier.verify(await token(), resource)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
    });
  });

  describe('that knows tokens again', () => {
    let nowMs: number;
    let lookedUp: number;
    const open = () => {
      nowMs = now * 1000;
      lookedUp = 0;
      const ticking = { nowMs: () => nowMs };
      const revocations = new RevocationView(ticking);
      revocations.load([]);
      const counted: typeof keys = Object.assign((...given: Parameters<typeof keys>) => {
        lookedUp += 1;
        return keys(...given);
      }, keys);
      const known = new AccessTokenVerifier({
        issuer,
        keys: counted,
        revocations,
        clock: ticking,
        maxVerified: 10,
      });
      return { known, revocations };
    };

    it('verifies the signature of a token once, and anew when a key could have been withdrawn', async () => {
      const { known } = open();
      const jwt = await token({ exp: now + 3600 });
      expect(await known.verify(jwt, resource)).toEqual(await known.verify(jwt, resource));
      expect(lookedUp).toBe(1);
      nowMs += 600_001;
      await known.verify(jwt, resource);
      expect(lookedUp).toBe(2);
    });

    it('attack: a token that was good is presented after it was revoked, or has expired', async () => {
      const { known, revocations } = open();
      const jwt = await token();
      await known.verify(jwt, resource);
      nowMs += 65_000;
      await expect(known.verify(jwt, resource)).rejects.toMatchObject({ code: 'invalid_token' });
      nowMs -= 65_000;
      await known.verify(jwt, resource);
      revocations.add({ kind: 'grant', id: 'g', revokedAtMs: nowMs, expiresAtMs: (now + 60) * 1000 });
      await expect(known.verify(jwt, resource)).rejects.toMatchObject({ code: 'invalid_token' });
    });

    it('attack: a token that is known is presented for another resource, or with another signature', async () => {
      const { known } = open();
      const jwt = await token();
      await known.verify(jwt, resource);
      await expect(known.verify(jwt, `${resource}/y`)).rejects.toMatchObject({ code: 'invalid_token' });
      const forged = `${jwt.slice(0, jwt.lastIndexOf('.'))}.${'A'.repeat(86)}`;
      await expect(known.verify(forged, resource)).rejects.toMatchObject({ code: 'invalid_token' });
      await expect(known.verify(forged, resource)).rejects.toMatchObject({ code: 'invalid_token' });
    });
  });

  it('says "try again" when the keys cannot be fetched', async () => {
    const revocations = new RevocationView(clock);
    revocations.load([]);
    const offline = new AccessTokenVerifier({
      issuer,
      clock,
      revocations,
      keys: async () => Promise.reject(new TypeError('fetch failed')),
    });
    await expect(offline.verify(await token(), resource)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
  });
});
