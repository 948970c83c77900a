import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateThumbprint } from '@behalf/client-certificate';
import { testClientCertificates } from '@behalf/testing';
import * as dpop from 'dpop';
import { decodeJwt, exportJWK, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import { agentId, type KeyPair, keyPair, TestAgents } from './test-agents.js';
import { basic, files, type TestServerOptions, type Tokens } from './test-server.js';

const own = { grant_type: 'client_credentials', resource: files };
const path = `/agents/${encodeURIComponent(agentId)}`;

describe('how agents without keys of their own authenticate', () => {
  let agents: TestAgents;
  const start = async (credential: object, options: TestServerOptions = {}): Promise<void> => {
    agents = await TestAgents.start(options);
    const { status, body } = await agents.create({ jwks: undefined, credential });
    expect([status, body.error]).toEqual([201, undefined]);
  };
  afterEach(() => agents.close());
  const outcome = ({ status, body }: Tokens): unknown[] => [status, body.error];

  describe('client_secret', () => {
    beforeEach(() => start({ method: 'client_secret' }));
    const newSecret = async () => {
      const { status, body } = await agents.admin('POST', `${path}/secrets`);
      return { status, ...(body as unknown as { id: string; clientSecret: string }) };
    };

    it('RFC 6749 §2.3.1: in the header or in the body, as openid-client and the MCP SDK send it', async () => {
      const { clientSecret } = await newSecret();
      expect((await agents.server.token(own, basic(agentId, clientSecret))).status).toBe(200);
      const inBody = { ...own, client_id: agentId, client_secret: clientSecret };
      const { status, body } = await agents.server.token(inBody, null);
      expect(status).toBe(200);
      expect(await agents.server.claims(body.access_token)).toMatchObject({ sub: agentId, aud: files });
    });

    it('is refused without a secret, with another one, and with what is stored', async () => {
      expect((await agents.server.token(own, basic(agentId, 'x'))).status).toBe(401);
      expect((await agents.server.token({ ...own, client_id: agentId }, null)).status).toBe(401);
      await newSecret();
      const kept = JSON.stringify(
        await agents.server.records.list({ name: 'agent-secret', schema: z.unknown() }),
      );
      const [, hash = ''] = /"hash":"([^"]+)"/.exec(kept) ?? [];
      for (const presented of ['x', hash, `sha256:${hash}`, 'sha256:'])
        expect((await agents.server.token(own, basic(agentId, presented))).status).toBe(401);
    });

    it('is rotated: two at a time, and what is removed is refused; nobody is shown a secret or its hash', async () => {
      const [first, second, third] = [await newSecret(), await newSecret(), await newSecret()];
      expect([first.status, second.status, third.status]).toEqual([201, 201, 409]);
      for (const { clientSecret } of [first, second])
        expect((await agents.server.token(own, basic(agentId, clientSecret))).status).toBe(200);
      expect((await agents.admin('DELETE', `${path}/secrets/${first.id}`)).status).toBe(200);
      expect((await agents.server.token(own, basic(agentId, first.clientSecret))).status).toBe(401);
      expect((await agents.server.token(own, basic(agentId, second.clientSecret))).status).toBe(200);
      expect((await agents.admin('DELETE', `${path}/secrets/${first.id}`)).status).toBe(404);
      const shown = JSON.stringify((await agents.admin('GET', path)).body);
      expect(shown).toContain(second.id);
      expect(shown).not.toMatch(/hash|clientSecret/);
      expect(shown).not.toContain(second.clientSecret);
    });

    it('goes with no key: neither is a key added, nor an assertion taken', async () => {
      expect((await agents.admin('POST', `${path}/keys`, { key: agents.key.publicJwk })).status).toBe(409);
      expect((await agents.own()).status).toBe(401);
    });

    it('is refused of a suspended agent', async () => {
      const { clientSecret } = await newSecret();
      await agents.change('suspend');
      expect((await agents.server.token(own, basic(agentId, clientSecret))).status).toBe(401);
    });
  });

  describe('certificates', () => {
    const authoritiesFile = join(mkdtempSync(join(tmpdir(), 'behalf-')), 'authorities.pem');
    writeFileSync(authoritiesFile, testClientCertificates.authority);
    const mutualTls = { enabled: true, trustedProxies: ['127.0.0.1', '::1'], authoritiesFile };
    const header = (pem: string) => ({
      'client-cert': `:${new X509Certificate(pem).raw.toString('base64')}:`,
    });
    const ask = (pem?: string): Promise<Tokens> =>
      agents.server.token({ ...own, client_id: agentId }, null, pem === undefined ? {} : header(pem));
    const byName = {
      method: 'tls_client_auth',
      subject: 'tls_client_auth_san_uri',
      value: 'spiffe://example.org/reporter',
    };

    it('RFC 8705 §2.1: tls_client_auth takes the certificate of an authority that names the agent', async () => {
      await start(byName, { mutualTls });
      expect((await ask(testClientCertificates.agent.cert)).status).toBe(200);
      // The same subject, issued by nobody.
      expect(outcome(await ask(testClientCertificates.selfSigned.cert))).toEqual([401, 'invalid_client']);
      expect(outcome(await ask())).toEqual([401, 'invalid_client']);
      const other = {
        id: 'https://agents.example/other',
        jwks: undefined,
        credential: { ...byName, value: 'x' },
      };
      expect((await agents.create(other)).status).toBe(201);
      const asOther = await agents.server.token(
        { ...own, client_id: other.id },
        null,
        header(testClientCertificates.agent.cert),
      );
      expect(asOther.status).toBe(401);
    });

    it('RFC 8705 §2.2: self_signed_tls_client_auth takes the very certificate, and two while it changes', async () => {
      const credential = (...certificates: string[]) => ({
        method: 'self_signed_tls_client_auth',
        certificates,
      });
      const { agent, selfSigned } = testClientCertificates;
      await start(credential(selfSigned.cert), { mutualTls });
      expect((await ask(selfSigned.cert)).status).toBe(200);
      expect((await ask(agent.cert)).status).toBe(401);
      const change = { credential: credential(selfSigned.cert, agent.cert) };
      expect((await agents.admin('PATCH', path, change, { 'if-match': '*' })).status).toBe(200);
      expect((await ask(agent.cert)).status).toBe(200);
    });

    it('RFC 9440 §4: the header of a stranger authenticates nobody', async () => {
      await start(byName, { mutualTls: { ...mutualTls, trustedProxies: ['192.0.2.1'] } });
      expect(outcome(await ask(testClientCertificates.agent.cert))).toEqual([401, 'invalid_client']);
    });

    it('RFC 8705 §3: binds tokens to the certificate, at client_credentials and exchange alike', async () => {
      agents = await TestAgents.start({ mutualTls });
      await agents.create({ jwks: undefined, credential: byName, boundTokens: 'mtls' });
      const cnf = {
        'x5t#S256': certificateThumbprint(new X509Certificate(testClientCertificates.agent.cert)),
      };
      const { body } = await ask(testClientCertificates.agent.cert);
      expect(decodeJwt(body.access_token)['cnf']).toEqual(cnf);
      const exchange = {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: await agents.personToken(),
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: files,
        client_id: agentId,
      };
      const exchanged = await agents.server.token(exchange, null, header(testClientCertificates.agent.cert));
      expect(decodeJwt(exchanged.body.access_token)['cnf']).toEqual(cnf);
    });

    it('RFC 8705 §5: says in the metadata what it takes', async () => {
      await start(byName, { mutualTls });
      const metadata = await fetch(`${agents.server.issuer}/.well-known/oauth-authorization-server`);
      expect(await metadata.json()).toMatchObject({
        tls_client_certificate_bound_access_tokens: true,
        token_endpoint_auth_methods_supported: expect.arrayContaining([
          'tls_client_auth',
          'self_signed_tls_client_auth',
        ]),
      });
    });

    it('RFC 8705 §5: names another host for clients with certificates, where there is one', async () => {
      const mutualTlsUrl = 'https://mtls.id.example';
      const metadata = async (): Promise<Record<string, unknown>> => {
        const answer = await fetch(`${agents.server.issuer}/.well-known/oauth-authorization-server`);
        return (await answer.json()) as Record<string, unknown>;
      };
      agents = await TestAgents.start({ mutualTls, server: { mutualTlsUrl } });
      expect((await metadata())['mtls_endpoint_aliases']).toEqual({
        token_endpoint: `${mutualTlsUrl}/token`,
        revocation_endpoint: `${mutualTlsUrl}/revoke`,
        introspection_endpoint: `${mutualTlsUrl}/introspect`,
        pushed_authorization_request_endpoint: `${mutualTlsUrl}/par`,
        userinfo_endpoint: `${mutualTlsUrl}/userinfo`,
      });
      // Whichever name it was reached by, it speaks of itself by one.
      expect((await metadata())['token_endpoint']).toBe(`${agents.server.issuer}/token`);
      await agents.close();
      for (const without of [{ mutualTls }, { server: { mutualTlsUrl } }]) {
        agents = await TestAgents.start(without);
        expect(await metadata()).not.toHaveProperty('mtls_endpoint_aliases');
        if (without.server) break;
        await agents.close();
      }
    });

    it('is not registered where there is no mutual TLS, nor with what is no certificate', async () => {
      agents = await TestAgents.start();
      expect((await agents.create({ jwks: undefined, credential: byName })).status).toBe(400);
      await agents.close();
      agents = await TestAgents.start({ mutualTls });
      const credential = { method: 'self_signed_tls_client_auth', certificates: ['x'] };
      expect((await agents.create({ jwks: undefined, credential })).status).toBe(400);
    });
  });

  describe('tokens of somebody else', () => {
    let platform: KeyPair;
    let now: number;
    beforeAll(async () => {
      platform = await keyPair('p');
    });
    /** `{us}` in claims stands for the issuer, which the tables cannot know. */
    const signed = (claims: object, header: object = {}, key = platform.privateKey): Promise<string> => {
      now = Math.floor(agents.server.clock.nowMs() / 1000);
      const all = JSON.stringify({ aud: '{us}', iat: now, exp: now + 300, ...claims });
      return new SignJWT(JSON.parse(all.replaceAll('{us}', agents.server.issuer)) as JWTPayload)
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

  it('is one way for each agent: neither two, nor none, nor of what nobody configured', async () => {
    agents = await TestAgents.start();
    const both = { credential: { method: 'client_secret' } };
    expect((await agents.create(both)).status).toBe(400);
    expect((await agents.create({ jwks: undefined })).status).toBe(400);
    for (const credential of [
      { method: 'none' },
      { method: 'spiffe_jwt', spiffeId: 'spiffe://example.org/x' },
      { method: 'spiffe_jwt', spiffeId: 'spiffe://example.org/../x' },
      { method: 'workload', issuer: 'https://kubernetes.example', subject: 'x' },
      { method: 'workload', issuer: 'https://kubernetes.example' },
      { method: 'attest_jwt_client_auth', attester: 'https://attester.example' },
    ])
      expect((await agents.create({ jwks: undefined, credential })).status).toBe(400);
  });
});
