import { createHash } from 'node:crypto';
import * as dpop from 'dpop';
import { decodeJwt, exportJWK, SignJWT } from 'jose';
import { agentResource, keyPair, TestAgents } from './test-agents.js';
import { files, TestServer, type TestServerOptions } from './test-server.js';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

async function signedBy(keys: dpop.KeyPair, claims: Record<string, unknown>): Promise<string> {
  const jwk = await exportJWK(keys.publicKey);
  return new SignJWT({ jti: crypto.randomUUID(), htm: 'POST', ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .sign(keys.privateKey);
}

let key: dpop.KeyPair;
let jkt: string;
beforeAll(async () => {
  key = await dpop.generateKeyPair('ES256');
  jkt = await dpop.calculateThumbprint(key.publicKey);
});

describe('DPoP at the token endpoint', () => {
  let agents: TestAgents;
  let server: TestServer;
  const start = async (options?: TestServerOptions): Promise<void> => {
    agents = await TestAgents.start({ replicas: 1, ...options });
    ({ server } = agents);
  };
  afterEach(() => agents.close());

  const proof = (nonce?: string, keys = key): Promise<string> =>
    dpop.generateProof(keys, `${server.issuer}/token`, 'POST', nonce);
  const proofWith = async (
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<string> => {
    const { privateKey, publicJwk } = await keyPair('k');
    const { kid: _kid, ...jwk } = publicJwk;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      jti: crypto.randomUUID(),
      htm: 'POST',
      htu: `${server.issuer}/token`,
      iat: now,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
      .sign(privateKey);
  };

  describe('without nonces', () => {
    beforeEach(async () => {
      await start();
      expect((await agents.create()).status).toBe(201);
    });

    it('RFC 9449 §5.1: lists the algorithms of proofs', async () => {
      const metadata = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
      expect(await metadata.json()).toMatchObject({
        dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
      });
    });

    it('RFC 9449 §5, §6.1: client_credentials gives a token bound to the key of the proof', async () => {
      const { status, body } = await agents.own({}, undefined, { dpop: await proof() });
      expect([status, body['token_type']]).toEqual([200, 'DPoP']);
      expect((await server.claims(body.access_token))['cnf']).toEqual({ jkt });
    });

    it('RFC 9449 §5: code and refresh token give bound tokens; a code bound by dpop_jkt needs its key', async () => {
      const parameters = { dpop_jkt: jkt };
      const other = await dpop.generateKeyPair('ES256');
      const code = (await server.authorize(parameters)).get('code');
      const stolen = await server.redeem(code, {}, undefined, { dpop: await proof(undefined, other) });
      expect(stolen.body.error).toBe('invalid_grant');
      const bare = await server.redeem((await server.authorize(parameters)).get('code'));
      expect(bare.body.error).toBe('invalid_grant');
      const { body } = await server.redeem((await server.authorize(parameters)).get('code'), {}, undefined, {
        dpop: await proof(),
      });
      expect(body['token_type']).toBe('DPoP');
      const refreshed = await server.refresh(body.refresh_token, {}, undefined, { dpop: await proof() });
      expect(decodeJwt(refreshed.body.access_token)['cnf']).toEqual({ jkt });
    });

    it('RFC 9449 §5: the refresh token of a public client is bound to the key', async () => {
      const redirect = 'http://127.0.0.1/callback';
      const { body: client } = await server.register({
        redirect_uris: [redirect],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      });
      const id = { client_id: String(client['client_id']), redirect_uri: redirect };
      const code = (await server.authorize(id)).get('code');
      const { body } = await server.redeem(code, id, null, { dpop: await proof() });
      const refresh = (headers: Record<string, string>) =>
        server.refresh(body.refresh_token, { client_id: id.client_id }, null, headers);
      expect((await refresh({})).body.error).toBe('invalid_grant');
      const other = await dpop.generateKeyPair('ES256');
      expect((await refresh({ dpop: await proof(undefined, other) })).body.error).toBe('invalid_grant');
      expect((await refresh({ dpop: await proof() })).status).toBe(200);
    });

    it('an exchange is bound to the key of who asks, and a bound subject token needs the key it is bound to', async () => {
      const bound = await agents.exchange(await agents.personToken(), {}, undefined, { dpop: await proof() });
      expect([bound.status, bound.body['token_type']]).toEqual([200, 'DPoP']);
      expect(decodeJwt(bound.body.access_token)['cnf']).toEqual({ jkt });

      const other = await dpop.generateKeyPair('ES256');
      const subject = await agents.personToken({ dpop: await proof() });
      for (const headers of [{}, { dpop: await proof(undefined, other) }]) {
        const { status, body } = await agents.exchange(
          subject,
          {},
          undefined,
          headers as Record<string, string>,
        );
        expect([status, body.error]).toEqual([400, 'invalid_request']);
      }
      expect((await agents.exchange(subject, {}, undefined, { dpop: await proof() })).status).toBe(200);
    });

    describe('of a person’s client, handed on by the resource that it called', () => {
      let subject: string;
      let gatewayKey: dpop.KeyPair;
      beforeEach(async () => {
        gatewayKey = await dpop.generateKeyPair('ES256');
        const code = (await server.authorize({ scope: 'mcp:tools' })).get('code');
        subject = (await server.redeem(code, {}, undefined, { dpop: await proof() })).body.access_token;
      });
      const seen = (url = files, keys = key, token = subject): Promise<string> =>
        dpop.generateProof(keys, url, 'POST', undefined, token);
      const handOn = async (handedOn: string, own?: string) =>
        agents.exchangeAtGateway(
          subject,
          { subject_token_proof: handedOn },
          { dpop: own ?? (await proof(undefined, gatewayKey)) },
        );

      it('is exchanged for a token that is bound to the key of the resource', async () => {
        const { status, body } = await handOn(await seen());
        expect([status, body['token_type']]).toEqual([200, 'DPoP']);
        const { cnf, sub, act } = decodeJwt(body.access_token);
        expect(cnf).toEqual({ jkt: await dpop.calculateThumbprint(gatewayKey.publicKey) });
        expect([sub, act]).toEqual([decodeJwt(subject).sub, { sub: 'gateway' }]);
      });

      it('is handed on once, also when the answer would come from the cache', async () => {
        const once = await seen();
        expect((await handOn(once)).status).toBe(200);
        expect((await handOn(once)).body.error).toBe('invalid_request');
        expect((await handOn(await seen())).status).toBe(200);
      });

      it.each<[string, () => Promise<string>]>([
        ['for another resource', () => seen(agentResource)],
        ['of another key', async () => seen(files, await dpop.generateKeyPair('ES256'))],
        ['for another token', () => seen(files, key, 'other')],
        ['for no token', () => dpop.generateProof(key, files, 'POST')],
        ['that is stale', async () => agedProof(-400)],
        ['from a clock that is far ahead', () => agedProof(100)],
        ['that is none', async () => 'x'],
      ])('is refused with a proof %s', async (_title, made) => {
        const { status, body } = await handOn(await made());
        expect([status, body.error]).toEqual([400, 'invalid_request']);
      });
      const agedProof = (seconds: number): Promise<string> =>
        signedBy(key, { iat: Math.floor(Date.now() / 1000) + seconds, ath: hashOf(subject), htu: files });

      it('is refused to a client that is not the resource, and without a key of the resource’s own', async () => {
        const own = { dpop: await proof(undefined, gatewayKey) };
        const agent = await agents.exchange(subject, { subject_token_proof: await seen() }, undefined, own);
        expect(agent.body.error).toBe('invalid_request');
        const bare = await agents.exchangeAtGateway(subject, { subject_token_proof: await seen() });
        expect(bare.body.error).toBe('invalid_request');
      });
    });

    it('RFC 9449 §11.1: an exchange uses its proof up', async () => {
      const used = await proof();
      const subject = await agents.personToken();
      expect((await agents.exchange(subject, {}, undefined, { dpop: used })).status).toBe(200);
      const again = await agents.exchange(subject, {}, undefined, { dpop: used });
      expect([again.status, again.body.error]).toEqual([400, 'use_dpop_nonce']);
    });

    it('RFC 9449 §11.1: takes a proof once, and asks for a nonce to tell another use apart', async () => {
      const used = await proof();
      expect((await agents.own({}, undefined, { dpop: used })).status).toBe(200);
      const again = await agents.own({}, undefined, { dpop: used });
      expect([again.status, again.body.error]).toEqual([400, 'use_dpop_nonce']);
      const nonce = again.headers.get('dpop-nonce') ?? '';
      const fresh = await proof(nonce);
      expect((await agents.own({}, undefined, { dpop: fresh })).status).toBe(200);
      const twice = await agents.own({}, undefined, { dpop: fresh });
      expect([twice.status, twice.body.error]).toEqual([400, 'invalid_dpop_proof']);
    });

    it('a proof from a clock that is ahead is sent back for a nonce, never taken twice', async () => {
      const ahead = Math.floor(Date.now() / 1000) + 200;
      const { body } = await agents.own({}, undefined, { dpop: await proofWith({ iat: ahead }) });
      expect(body.error).toBe('use_dpop_nonce');
    });

    it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
      ['another method', { htm: 'GET' }],
      ['another URL', { htu: 'https://other.example/token' }],
      ['another endpoint', { htu: 'http://localhost/introspect' }],
      ['no jti', { jti: undefined }],
      ['no iat', { iat: undefined }],
      ['an iat of text', { iat: 'now' }],
      ['another typ', {}, { typ: 'JWT' }],
      ['no key', {}, { jwk: undefined }],
      ['another key than it was signed with', {}, { jwk: 'other' }],
      ['alg none', {}, { alg: 'none' }],
    ])('refuses a proof with %s', async (_title, claims, header = {}) => {
      const other = { ...(await exportJWK(key.publicKey)) };
      const changed = header['jwk'] === 'other' ? { ...header, jwk: other } : header;
      let forged = await proofWith(claims, changed['alg'] === 'none' ? {} : changed);
      if (changed['alg'] === 'none') {
        const [head = '', payload] = forged.split('.');
        const json = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
        forged = `${Buffer.from(JSON.stringify({ ...json, alg: 'none' })).toString('base64url')}.${payload}.`;
      }
      const { status, body } = await agents.own({}, undefined, { dpop: forged });
      expect([status, body.error]).toEqual([400, 'invalid_dpop_proof']);
    });

    it('refuses a proof that holds the private key', async () => {
      const { privateKey } = await keyPair('k');
      const jwk = await exportJWK(privateKey);
      const forged = await new SignJWT({ jti: 'a', htm: 'POST', htu: `${server.issuer}/token` })
        .setIssuedAt()
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
      expect((await agents.own({}, undefined, { dpop: forged })).body.error).toBe('invalid_dpop_proof');
    });

    it('refuses an old proof, two proofs, and answers 503 while uses cannot be remembered', async () => {
      const old = Math.floor(Date.now() / 1000) - 400;
      const stale = await agents.own({}, undefined, { dpop: await proofWith({ iat: old }) });
      expect(stale.body.error).toBe('use_dpop_nonce');
      const two = `${await proof()}, ${await proof()}`;
      expect((await agents.own({}, undefined, { dpop: two })).body.error).toBe('invalid_dpop_proof');
      server.oneTime.claim = async () => Promise.reject(new Error('down'));
      const { status, body } = await agents.own({}, undefined, { dpop: await proof() });
      expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
    });
  });

  it('RFC 9449 §8: requires a nonce of its own when it is told to', async () => {
    await start({ server: { dpop: { requireNonce: true } } });
    await agents.create();
    for (const nonce of [undefined, 'made-up']) {
      const first = await agents.own({}, undefined, { dpop: await proof(nonce) });
      expect([first.status, first.body.error]).toEqual([400, 'use_dpop_nonce']);
      const { status } = await agents.own({}, undefined, {
        dpop: await proof(first.headers.get('dpop-nonce') ?? ''),
      });
      expect(status).toBe(200);
    }
  });

  it('RFC 9449 §5.2: a client whose tokens have to be bound gets none without a proof', async () => {
    const clients = [
      {
        clientId: 'bound',
        demoSecret: 'bound-secret',
        grantTypes: ['client_credentials'],
        scopes: ['mcp:tools'],
        boundTokens: 'dpop',
      },
      {
        clientId: 'operator',
        demoSecret: 'operator-secret',
        grantTypes: ['client_credentials'],
        scopes: ['admin'],
      },
    ];
    await start({ server: { clients } });
    const parameters = { grant_type: 'client_credentials', resource: files };
    const basic = `Basic ${Buffer.from('bound:bound-secret').toString('base64')}`;
    expect((await server.token(parameters, basic)).status).toBe(400);
    expect((await server.token(parameters, basic, { dpop: await proof() })).body['token_type']).toBe('DPoP');
  });

  it('RFC 9449 §7: a bound admin token administers with a proof, and not as a bearer token', async () => {
    await start();
    const operator = `Basic ${Buffer.from('operator:operator-secret').toString('base64')}`;
    const wanted = { grant_type: 'client_credentials', resource: `${server.issuer}/admin` };
    const { body } = await server.token(wanted, operator, { dpop: await proof() });
    const token = body.access_token;
    const list = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${server.issuer}/admin/agents?limit=1`, { headers });
    const url = `${server.issuer}/admin/agents`;

    expect((await list({ authorization: `Bearer ${token}` })).status).toBe(401);
    const good = await dpop.generateProof(key, url, 'GET', undefined, token);
    const asked = await list({ authorization: `DPoP ${token}`, dpop: good });
    expect(asked.status).toBe(200);
    const replayed = await list({ authorization: `DPoP ${token}`, dpop: good });
    expect(replayed.status).toBe(401);
    expect(replayed.headers.get('www-authenticate')).toMatch(/^DPoP error="use_dpop_nonce", algs="ES256/);
    expect(replayed.headers.get('dpop-nonce')).not.toBeNull();
    const withoutAth = await dpop.generateProof(key, url, 'GET');
    expect((await list({ authorization: `DPoP ${token}`, dpop: withoutAth })).status).toBe(401);
  });
});
