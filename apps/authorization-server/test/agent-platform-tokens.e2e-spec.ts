import * as dpop from 'dpop';
import { decodeJwt, exportJWK, SignJWT } from 'jose';
import { agentId, type KeyPair, keyPair, TestAgents } from './test-agents.js';
import { basic, files, outcome, type TestServerOptions, type Tokens } from './test-server.js';

const own = { grant_type: 'client_credentials', resource: files };

describe('how agents without keys of their own authenticate', () => {
  let agents: TestAgents;
  const start = async (credential: object, options: TestServerOptions = {}): Promise<void> => {
    agents = await TestAgents.startWithCredential(credential, options);
  };
  afterEach(() => agents.close());

  describe('tokens of somebody else', () => {
    let platform: KeyPair;
    let now: number;
    beforeAll(async () => {
      platform = await keyPair('p');
    });
    const signed = (claims: object, header: object = {}, key = platform.privateKey): Promise<string> => {
      now = Math.floor(agents.server.clock.nowMs() / 1000);
      const all = { aud: '{us}', iat: now, exp: now + 300, ...claims };
      return new SignJWT(agents.server.named(all))
        .setProtectedHeader({ alg: 'ES256', kid: 'p', ...header })
        .sign(key);
    };
    const ask = (token: string, type: string, more: Record<string, string> = {}): Promise<Tokens> =>
      agents.server.token({ ...own, client_assertion_type: type, client_assertion: token, ...more }, null);

    describe('JWT-SVID', () => {
      const spiffeId = 'spiffe://example.org/ns/prod/sa/reporter';
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
      const withBundles = (more: object = {}): TestServerOptions => ({
        server: {
          spiffe: {
            trustDomains: [
              { name: 'example.org', bundle: { keys: [{ ...platform.publicJwk, use: 'jwt-svid' }] } },
              { name: 'other.org', bundle: { keys: [other.publicJwk] } },
            ],
            ...more,
          },
        },
      });
      let other: KeyPair;
      beforeAll(async () => {
        other = await keyPair('p');
      });
      const svid = (claims: object = {}, header?: object, key?: KeyPair['privateKey']): Promise<string> =>
        signed({ sub: spiffeId, ...claims }, header, key);

      it('spiffe-client-auth §3: is the agent with that SPIFFE ID, with or without client_id', async () => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles());
        const { status, body } = await ask(await svid(), type);
        expect(status).toBe(200);
        expect(await agents.server.claims(body.access_token)).toMatchObject({
          sub: agentId,
          client_id: agentId,
        });
        for (const client_id of [agentId, spiffeId])
          expect((await ask(await svid(), type, { client_id })).status).toBe(200);
        expect(outcome(await ask(await svid(), type, { client_id: 'gateway' }))).toEqual([
          401,
          'invalid_client',
        ]);
        const exchanged = await agents.server.token(
          {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: await agents.personToken(),
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            resource: files,
            client_assertion_type: type,
            client_assertion: await svid(),
          },
          null,
        );
        expect(decodeJwt(exchanged.body.access_token)['act']).toMatchObject({ sub: agentId });
      });

      it('with a jti is taken once; without one as often as it is shown', async () => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles());
        const once = await svid({ jti: 'a' });
        const all = await Promise.all(Array.from({ length: 5 }, () => ask(once, type)));
        expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
        const cached = await svid();
        for (let use = 0; use < 2; use++) expect((await ask(cached, type)).status).toBe(200);
      });

      it.each<[string, object, object?]>([
        ['of another workload', { sub: 'spiffe://example.org/ns/prod/sa/other' }],
        ['of a trust domain that nobody configured', { sub: 'spiffe://evil.org/ns/prod/sa/reporter' }],
        ['of another trust domain, with the keys of ours', { sub: 'spiffe://other.org/ns/prod/sa/reporter' }],
        ['about no SPIFFE ID', { sub: agentId }],
        ['for the token endpoint', { aud: '{us}/token' }],
        ['for us and somebody else', { aud: ['{us}', 'https://x.example'] }],
        ['that has expired', { iat: 1, exp: 2 }],
        ['that lives for a day', { exp: 4_000_000_000 }],
        ['of another type', {}, { typ: 'at+jwt' }],
        ['of an unknown key', {}, { kid: 'x' }],
        ['of a key at a URL', {}, { kid: 'x', jku: 'https://evil.example' }],
      ])('is refused %s', async (_title, claims, header = {}) => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles());
        expect(outcome(await ask(await svid(claims, header), type))).toEqual([401, 'invalid_client']);
      });

      it('is refused of a foreign key, of a suspended agent, and under another assertion type', async () => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles());
        expect((await ask(await svid({}, {}, other.privateKey), type)).status).toBe(401);
        const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
        expect((await ask(await svid(), bearer)).status).toBe(401);
        const twice = await agents.server.token(
          { ...own, client_assertion_type: type, client_assertion: await svid() },
          basic('gateway', 'gateway-secret'),
        );
        expect(outcome(twice)).toEqual([400, 'invalid_request']);
        await agents.change('suspend');
        expect((await ask(await svid(), type)).status).toBe(401);
      });

      it('the agent has no other way in', async () => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles());
        expect((await agents.own()).status).toBe(401);
        expect((await agents.server.token({ ...own, client_id: agentId }, null)).status).toBe(401);
        const guess = { ...own, client_id: 'urn:behalf:client-of-assertion' };
        expect((await agents.server.token(guess, null)).status).toBe(401);
      });

      it('has a configurable type, since the URN is not registered; a SPIFFE ID is one agent’s', async () => {
        await start({ method: 'spiffe_jwt', spiffeId }, withBundles({ assertionType: 'urn:example:svid' }));
        expect((await ask(await svid(), 'urn:example:svid')).status).toBe(200);
        expect((await ask(await svid(), type)).status).toBe(400);
        const again = await agents.create({
          id: 'https://agents.example/second',
          jwks: undefined,
          credential: { method: 'spiffe_jwt', spiffeId },
        });
        expect(again.status).toBe(409);
      });
    });

    describe('workload identity', () => {
      const issuer = 'https://kubernetes.example';
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      const sub = 'system:serviceaccount:prod:reporter';
      const credential = { method: 'workload', issuer, subject: sub };
      const trusting = (workloads: object = {}): TestServerOptions => ({
        server: { trustedIssuers: [{ issuer, jwks: { keys: [platform.publicJwk] }, workloads }] },
      });
      const token = (claims: object = {}, header?: object): Promise<string> =>
        signed({ iss: issuer, sub, jti: crypto.randomUUID(), ...claims }, header);

      it('as client assertion: the agent is found by issuer and subject', async () => {
        await start(credential, trusting());
        const { status, body } = await ask(await token(), type);
        expect(status).toBe(200);
        expect(await agents.server.claims(body.access_token)).toMatchObject({ sub: agentId });
        expect((await ask(await token(), type, { client_id: agentId })).status).toBe(200);
        expect((await ask(await token(), type, { client_id: 'gateway' })).status).toBe(401);
      });

      it('matches further claims by exact value, nested ones too, and never guesses between two agents', async () => {
        const claims = { 'kubernetes.io.namespace': 'prod', repository: 'org/app' };
        await start({ method: 'workload', issuer, claims }, trusting());
        const matching = { 'kubernetes.io.namespace': 'prod', repository: 'org/app' };
        const nested = { kubernetes: { io: { namespace: 'prod' } }, repository: 'org/app' };
        for (const good of [matching, nested]) expect((await ask(await token(good), type)).status).toBe(200);
        for (const bad of [
          {},
          { ...matching, repository: 'org/app2' },
          { ...matching, repository: ['org/app'] },
        ])
          expect((await ask(await token(bad), type)).status).toBe(401);
        const second = { method: 'workload', issuer, claims: { repository: 'org/app' } };
        await agents.create({ id: 'https://agents.example/second', jwks: undefined, credential: second });
        expect((await ask(await token(matching), type)).status).toBe(401);
      });

      it('a token with a jti is good once, unless the platform shows one many times', async () => {
        await start(credential, trusting());
        const once = await token();
        const all = await Promise.all(Array.from({ length: 5 }, () => ask(once, type)));
        expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
        await agents.close();
        await start(credential, trusting({ reusable: true }));
        const projected = await token();
        for (let use = 0; use < 2; use++) expect((await ask(projected, type)).status).toBe(200);
      });

      it.each<[string, object, object?]>([
        ['of another issuer', { iss: 'https://evil.example' }],
        ['of another subject', { sub: 'system:serviceaccount:prod:other' }],
        ['for another audience', { aud: 'https://kubernetes.default.svc' }],
        ['that has expired', { iat: 1, exp: 2 }],
        ['of another type', {}, { typ: 'at+jwt' }],
        ['that is an ID-JAG', {}, { typ: 'oauth-id-jag+jwt' }],
        ['of an unknown key', {}, { kid: 'x' }],
      ])('is refused %s', async (_title, claims, header = {}) => {
        await start(credential, trusting());
        expect((await ask(await token(claims, header), type)).status).toBe(401);
      });

      it('is not trusted of an issuer that is configured for something else', async () => {
        agents = await TestAgents.start({
          server: { trustedIssuers: [{ issuer, jwks: { keys: [platform.publicJwk] } }] },
        });
        expect((await agents.create({ jwks: undefined, credential })).status).toBe(400);
        expect((await ask(await token(), type)).status).toBe(401);
      });

      it('MCP SEP-1933: is the grant itself, without a client_id', async () => {
        await start(credential, trusting());
        const grant = async (more: Record<string, string> = {}): Promise<Tokens> =>
          agents.server.token(
            { grant_type: jwtBearer, assertion: await token(), resource: files, ...more },
            null,
          );
        const { status, body } = await grant();
        expect(status).toBe(200);
        expect(await agents.server.claims(body.access_token)).toMatchObject({ sub: agentId, aud: files });
        expect(body['refresh_token']).toBeUndefined();
        expect(outcome(await grant({ resource: 'http://localhost:4003/mcp/whoami' }))).toEqual([
          400,
          'invalid_target',
        ]);
        expect(outcome(await grant({ scope: 'files:write' }))).toEqual([400, 'invalid_scope']);
      });
    });

    describe('attestation', () => {
      const attester = 'https://attester.example';
      const options: () => TestServerOptions = () => ({
        server: {
          attesters: [
            { issuer: attester, jwks: { keys: [platform.publicJwk] } },
            { issuer: 'https://other.example', jwks: { keys: [platform.publicJwk] } },
          ],
        },
      });
      const credential = { method: 'attest_jwt_client_auth', attester };

      it('attestation-based-client-auth: needs the attestation of its attester and a fresh proof of the instance', async () => {
        await start(credential, options());
        const instance = await keyPair('i');
        const { kid: _kid, ...jwk } = instance.publicJwk;
        const headers = async (claims: object = {}, challenge?: string, key = instance.privateKey) => ({
          'oauth-client-attestation': await signed(
            { iss: attester, sub: agentId, aud: undefined, cnf: { jwk }, ...claims },
            { typ: 'oauth-client-attestation+jwt' },
          ),
          'oauth-client-attestation-pop': await signed(
            { iss: agentId, jti: crypto.randomUUID(), exp: undefined, ...(challenge && { challenge }) },
            { typ: 'oauth-client-attestation-pop+jwt', kid: undefined },
            key,
          ),
        });
        const first = await agents.server.token(own, null, await headers());
        expect(first.body.error).toBe('use_attestation_challenge');
        const challenge = first.headers.get('oauth-client-attestation-challenge') ?? '';
        const good = await headers({}, challenge);
        expect((await agents.server.token(own, null, good)).status).toBe(200);
        expect((await agents.server.token(own, null, good)).status).toBe(401);
        const foreign = await headers({}, challenge, platform.privateKey);
        expect((await agents.server.token(own, null, foreign)).status).toBe(401);
        for (const claims of [
          { iss: 'https://other.example' },
          { iss: undefined },
          { cnf: undefined },
          { iat: 1, exp: 2 },
        ])
          expect((await agents.server.token(own, null, await headers(claims, challenge))).status).toBe(401);
        await agents.change('suspend');
        expect((await agents.server.token(own, null, await headers({}, challenge))).status).toBe(401);
      });

      it('attestation-based-client-auth, DPoP combined mode: one proof authenticates the instance and binds the token', async () => {
        await start({ ...credential, proof: 'dpop' }, options());
        const instance = await dpop.generateKeyPair('ES256');
        const attestation = await signed(
          { iss: attester, sub: agentId, aud: undefined, cnf: { jwk: await exportJWK(instance.publicKey) } },
          { typ: 'oauth-client-attestation+jwt' },
        );
        const askWith = async (nonce?: string, key = instance) => {
          const proof = await dpop.generateProof(key, `${agents.server.issuer}/token`, 'POST', nonce);
          const headers = { 'oauth-client-attestation': attestation, dpop: proof };
          return {
            again: () => agents.server.token(own, null, headers),
            ...(await agents.server.token(own, null, headers)),
          };
        };
        const first = await askWith();
        expect(first.body.error).toBe('use_dpop_nonce');
        const nonce = first.headers.get('dpop-nonce') ?? '';
        const good = await askWith(nonce);
        expect([good.status, good.body['token_type'], decodeJwt(good.body.access_token)['cnf']]).toEqual([
          200,
          'DPoP',
          { jkt: await dpop.calculateThumbprint(instance.publicKey) },
        ]);
        expect((await good.again()).body.error).toBe('invalid_dpop_proof');
        expect((await askWith(nonce, await dpop.generateKeyPair('ES256'))).status).toBe(401);
        const bare = await agents.server.token(own, null, { 'oauth-client-attestation': attestation });
        expect(bare.status).toBe(401);
        await agents.change('suspend');
        expect((await askWith(nonce)).status).toBe(401);
      });
    });
  });
});
