import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import { FakeClock } from '@behalf/testing';
import * as dpop from 'dpop';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DpopNonces, type Presentation, SenderConstraints } from './index.js';

const url = 'https://gw.example/mcp/files';
const token = 'an-access-token';
type Presented = Parameters<SenderConstraints['check']>[0];

describe('SenderConstraints', () => {
  let key: dpop.KeyPair;
  let jkt: string;
  let clock: FakeClock;
  let nonces: DpopNonces;
  let oneTime: MemoryOneTimeStore;
  let constraints: SenderConstraints;
  const open = (requireNonce = false): void => {
    clock = new FakeClock(Date.now());
    oneTime = new MemoryOneTimeStore(clock);
    nonces = new DpopNonces(() => [Buffer.alloc(32, 1)], clock);
    constraints = new SenderConstraints({ clock, oneTime, nonces, requireNonce });
  };
  beforeAll(async () => {
    key = await dpop.generateKeyPair('ES256');
    jkt = await dpop.calculateThumbprint(key.publicKey);
  });
  beforeEach(() => open());

  const proof = (nonce?: string, keys = key): Promise<string> =>
    dpop.generateProof(keys, url, 'POST', nonce, token);
  const present = (proofs: string[], more: Partial<Presentation> = {}): Presentation => ({
    scheme: 'DPoP',
    token,
    proofs,
    method: 'POST',
    url,
    ...more,
  });
  const outcome = (presentation: Presentation, cnf: Presented['cnf'] = { jkt }): Promise<string> =>
    constraints.check({ cnf }, presentation).then(
      () => 'accepted',
      (error: { code: string; status: number }) => `${error.code} ${error.status}`,
    );

  it('RFC 9449 §7: accepts a bound token with a proof of its key for this request', async () => {
    expect(await outcome(present([await proof()]))).toBe('accepted');
  });

  it('RFC 9449 §7.1: refuses a bound token presented as a bearer token, with a proof or without', async () => {
    expect(await outcome(present([], { scheme: 'Bearer' }))).toBe('invalid_token 401');
    expect(await outcome(present([await proof()], { scheme: 'Bearer' }))).toBe('invalid_token 401');
  });

  it('RFC 9449 §7.1: refuses an unbound token presented with a proof', async () => {
    const unbound = constraints.check({}, present([await proof()]));
    await expect(unbound).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(constraints.check({}, present([], { scheme: 'Bearer' }))).resolves.toBeUndefined();
  });

  it('refuses a stolen token with a proof of the thief’s own key', async () => {
    const thief = await dpop.generateKeyPair('ES256');
    expect(await outcome(present([await proof(undefined, thief)]))).toBe('invalid_token 401');
  });

  it('RFC 9449 §11.1: of many uses of one proof at once one wins; a nonce tells a new one', async () => {
    const once = await proof();
    const all = await Promise.all(Array.from({ length: 10 }, () => outcome(present([once]))));
    expect(all.filter((one) => one === 'accepted')).toHaveLength(1);
    expect(new Set(all)).toEqual(new Set(['accepted', 'use_dpop_nonce 401']));
    const withNonce = await proof(constraints.nonce);
    expect(await outcome(present([withNonce]))).toBe('accepted');
    expect(await outcome(present([withNonce]))).toBe('invalid_dpop_proof 401');
  });

  it('a proof that was used is not taken for new by a store that has forgotten it', async () => {
    const nonce = constraints.nonce;
    const used = [await proof(), await proof(nonce)];
    for (const one of used) expect(await outcome(present([one]))).toBe('accepted');
    clock.advanceSeconds(1);
    const forgetful = new MemoryOneTimeStore(clock, { rememberedSinceMs: clock.nowMs() });
    constraints = new SenderConstraints({ clock, oneTime: forgetful, nonces, requireNonce: false });
    for (const one of used) expect(await outcome(present([one]))).not.toBe('accepted');
    expect(await outcome(present([await proof(constraints.nonce)]))).toBe('accepted');
  });

  it('knows the nonces of the secret before while its secret changes, and no longer', () => {
    let secrets = [Buffer.alloc(32, 1)];
    const changing = new DpopNonces(() => secrets, clock);
    const old = changing.current();
    secrets = [Buffer.alloc(32, 2), Buffer.alloc(32, 1)];
    const young = changing.current();
    const known = (nonce: string): boolean => changing.issuedAtMs(nonce) !== undefined;
    expect([known(old), known(young)]).toEqual([true, true]);
    secrets = [Buffer.alloc(32, 2)];
    expect([known(old), known(young)]).toEqual([false, true]);
  });

  it('RFC 9449 §9: requires a nonce given out here when it is told to, and takes it for five minutes', async () => {
    open(true);
    expect(await outcome(present([await proof()]))).toBe('use_dpop_nonce 401');
    const foreign = new DpopNonces(() => [Buffer.alloc(32, 2)], clock).current();
    expect(await outcome(present([await proof(foreign)]))).toBe('use_dpop_nonce 401');
    const early = await proof(constraints.nonce);
    const late = await proof(constraints.nonce);
    clock.advanceSeconds(299);
    expect(await outcome(present([early]))).toBe('accepted');
    clock.advanceSeconds(1);
    expect(await outcome(present([late]))).toBe('use_dpop_nonce 401');
    const inFuture = nonces.current().replace(/^\d+/, String(clock.nowMs() + 1000));
    expect(await outcome(present([await proof(inFuture)]))).toBe('use_dpop_nonce 401');
  });

  it.each([-301, 301])('RFC 9449 §11.1: refuses a proof that is %d s away from now', async (seconds) => {
    const made = await proof();
    clock.advanceSeconds(seconds);
    expect(await outcome(present([made]))).toBe('invalid_dpop_proof 401');
  });

  it.each<[string, (good: string) => Partial<Presentation>]>([
    ['no proof', () => ({ proofs: [] })],
    ['two proofs', (good) => ({ proofs: [good, good] })],
    ['two proofs in one header', (good) => ({ proofs: [`${good}, ${good}`] })],
    ['no JWT', () => ({ proofs: ['x'] })],
    ['a huge proof', () => ({ proofs: ['x'.repeat(10_000)] })],
    ['another method', () => ({ method: 'GET' })],
    ['another path', () => ({ url: `${url}/x` })],
    ['another host', () => ({ url: 'https://evil.example/mcp/files' })],
    ['another scheme', () => ({ url: url.replace('https', 'http') })],
    ['another token', () => ({ token: 'another' })],
  ])('RFC 9449 §4.3: refuses it with %s', async (_title, change) => {
    const good = await proof();
    expect(await outcome({ ...present([good]), ...change(good) })).toBe('invalid_dpop_proof 401');
  });

  it('RFC 9449 §4.3: compares the URL without query and fragment, and in its normal form', async () => {
    for (const htu of [
      `${url}?a=1#b`,
      'HTTPS://GW.example:443/mcp/files',
      'https://gw.example/mcp/./files',
    ]) {
      const made = await dpop.generateProof(key, htu, 'POST', undefined, token);
      expect([htu, await outcome(present([made]))]).toEqual([htu, 'accepted']);
    }
  });

  describe('proofs that lie about themselves', () => {
    const forge = async (
      header: (jwk: object, privateJwk: object) => Record<string, unknown>,
      claims: Record<string, unknown> = {},
    ): Promise<string> => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const [jwk, privateJwk] = [await exportJWK(publicKey), await exportJWK(privateKey)];
      const ath = await crypto.subtle.digest('SHA-256', Buffer.from(token));
      const all = {
        jti: 'a',
        htm: 'POST',
        htu: url,
        iat: Math.floor(clock.nowMs() / 1000),
        ath: Buffer.from(ath).toString('base64url'),
        ...claims,
      };
      return new SignJWT(all)
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', ...header(jwk, privateJwk) })
        .sign(privateKey);
    };
    const expected = 'invalid_dpop_proof 401';

    it('are refused: another typ, no key, a private key, somebody else’s key, jku and x5u instead of a key', async () => {
      const theirs = await exportJWK(key.publicKey);
      for (const header of [
        (jwk: object) => ({ jwk, typ: 'at+jwt' }),
        () => ({}),
        (_: object, jwk: object) => ({ jwk }),
        () => ({ jwk: theirs }),
        () => ({ jku: 'https://evil.example/jwks', kid: 'k' }),
        () => ({ x5u: 'https://evil.example/cert' }),
      ])
        expect(await outcome(present([await forge(header)]))).toBe(expected);
    });

    it('are refused: no jti, an empty or a huge one, claims of other types', async () => {
      for (const claims of [
        { jti: undefined },
        { jti: '' },
        { jti: 'x'.repeat(300) },
        { iat: '1' },
        { htm: 1 },
        { htu: 'no url' },
        { nonce: 7 },
        { ath: undefined },
      ])
        expect(await outcome(present([await forge((jwk) => ({ jwk }), claims)]))).toBe(expected);
    });

    it('are refused: alg none and HS256 over the public key', async () => {
      const [head = '', payload = ''] = (await proof()).split('.');
      const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
      const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
      expect(await outcome(present([`${none}.${payload}.`]))).toBe(expected);
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
      const hmac = await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(new TextEncoder().encode(JSON.stringify(header['jwk'])));
      expect(await outcome(present([hmac]))).toBe(expected);
    });
  });

  it('says that it cannot tell while uses cannot be remembered', async () => {
    oneTime.claim = async () => Promise.reject(new Error('down'));
    expect(await outcome(present([await proof()]))).toBe('temporarily_unavailable 503');
  });

  describe('RFC 8705 §3: a token bound to a client certificate', () => {
    const cnf = { 'x5t#S256': 'thumbprint' };

    it('is good on a connection with that certificate, and on no other', async () => {
      const bearer = (certificateThumbprint?: string) =>
        outcome(present([], { scheme: 'Bearer', certificateThumbprint }), cnf);
      expect(await bearer('thumbprint')).toBe('accepted');
      expect(await bearer('another')).toBe('invalid_token 401');
      expect(await bearer()).toBe('invalid_token 401');
    });

    it('needs both proofs when it is bound to both', async () => {
      const both = { ...cnf, jkt };
      expect(await outcome(present([await proof()]), both)).toBe('invalid_token 401');
      const certificateThumbprint = 'thumbprint';
      expect(await outcome(present([await proof()], { certificateThumbprint }), both)).toBe('accepted');
      expect(await outcome(present([], { scheme: 'Bearer', certificateThumbprint }), both)).toBe(
        'invalid_token 401',
      );
    });
  });
});
