import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateThumbprint } from '@behalf/client-certificate';
import { testClientCertificates } from '@behalf/testing';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { agentId, TestAgents } from './test-agents.js';
import { basic, files, outcome, type TestServerOptions, type Tokens } from './test-server.js';

const own = { grant_type: 'client_credentials', resource: files };
const path = `/agents/${encodeURIComponent(agentId)}`;

describe('how agents without keys of their own authenticate', () => {
  let agents: TestAgents;
  const start = async (credential: object, options: TestServerOptions = {}): Promise<void> => {
    agents = await TestAgents.startWithCredential(credential, options);
  };
  afterEach(() => agents.close());

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
