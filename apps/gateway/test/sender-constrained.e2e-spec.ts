import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateThumbprint } from '@behalf/client-certificate';
import { freePort, testCertificate, testClientCertificates } from '@behalf/testing';
import {
  Client,
  DpopSession,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import * as dpop from 'dpop';
import { modernRequest } from './clients.js';
import { publicUrl, startTestGateway, type TestGateway } from './gateway-fixture.js';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.js';

const resource = `${publicUrl}/mcp/tools`;
const thumbprint = certificateThumbprint(new X509Certificate(testClientCertificates.agent.cert));

describe('sender-constrained tokens at the gateway', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  let key: dpop.KeyPair;
  let cnf: { jkt: string };
  const upstreams = (): Record<string, unknown> => {
    const http = { transport: 'http', url: upstream.url, token: { kind: 'none' } };
    return { tools: http, strict: { ...http, requireDpop: true } };
  };
  beforeAll(async () => {
    upstream = await startRecordingUpstream();
    key = await dpop.generateKeyPair('ES256');
    cnf = { jkt: await dpop.calculateThumbprint(key.publicKey) };
  });
  beforeEach(() => (upstream.seen.length = 0));
  afterAll(() => upstream.close());

  const call = (headers: Record<string, string>, path = '/mcp/tools'): Promise<Response> =>
    fetch(`${gateway.url}${path}`, modernRequest('tools/call', { name: 'allowed' }, { headers }));
  const proof = (token: string, nonce?: string, keys = key, url = resource): Promise<string> =>
    dpop.generateProof(keys, url, 'POST', nonce, token);

  describe('DPoP', () => {
    beforeAll(async () => {
      gateway = await startTestGateway({ upstreams: upstreams() });
    });
    afterAll(() => gateway.close());

    it('RFC 9449 §7: calls with a proof; the proof stays here', async () => {
      const token = await gateway.tokenFor('tools', { cnf });
      const response = await call({ authorization: `DPoP ${token}`, dpop: await proof(token) });
      expect(response.status).toBe(200);
      // The gateway may have asked the server what it is before.
      const seen = upstream.seen.at(-1);
      expect(seen?.message['method']).toBe('tools/call');
      for (const header of ['dpop', 'authorization', 'client-cert'])
        expect(seen?.headers[header]).toBeUndefined();
    });

    it('RFC 9449 §7.1: a stolen token is no bearer token, and another key’s proof does not help', async () => {
      const token = await gateway.tokenFor('tools', { cnf });
      const thief = await dpop.generateKeyPair('ES256');
      const bearer = await call({ authorization: `Bearer ${token}` });
      expect([bearer.status, bearer.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(/^Bearer error="invalid_token"/),
      ]);
      const forged = await call({
        authorization: `DPoP ${token}`,
        dpop: await proof(token, undefined, thief),
      });
      expect([forged.status, forged.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(
          /^DPoP error="invalid_token".*resource_metadata="[^"]+", algs="ES256 Ed25519 EdDSA"$/,
        ),
      ]);
      expect(upstream.seen).toEqual([]);
    });

    it('RFC 9449 §11.1: a proof is good for one call, at one URL', async () => {
      const token = await gateway.tokenFor('tools', { cnf });
      const once = { authorization: `DPoP ${token}`, dpop: await proof(token) };
      expect((await call(once)).status).toBe(200);
      const again = await call(once);
      expect(again.status).toBe(401);
      expect(again.headers.get('www-authenticate')).toMatch(/^DPoP error="use_dpop_nonce"/);
      const nonce = again.headers.get('dpop-nonce') ?? '';
      const retried = { authorization: `DPoP ${token}`, dpop: await proof(token, nonce) };
      expect((await call(retried)).status).toBe(200);
      expect((await call(retried)).headers.get('www-authenticate')).toMatch(
        /^DPoP error="invalid_dpop_proof"/,
      );
      const elsewhere = await proof(token, undefined, key, `${publicUrl}/mcp/strict`);
      expect((await call({ authorization: `DPoP ${token}`, dpop: elsewhere })).status).toBe(401);
      expect(upstream.seen.filter(({ message }) => message['method'] === 'tools/call')).toHaveLength(2);
    });

    it('two proofs are none', async () => {
      const token = await gateway.tokenFor('tools', { cnf });
      const two = `${await proof(token)}, ${await proof(token)}`;
      expect((await call({ authorization: `DPoP ${token}`, dpop: two })).status).toBe(401);
    });

    it('RFC 9728 §2: a server may require DPoP, tells so, and refuses unbound tokens', async () => {
      const metadata = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp/strict`);
      expect(await metadata.json()).toMatchObject({ dpop_bound_access_tokens_required: true });
      const bare = await fetch(`${gateway.url}/mcp/strict`, { method: 'POST' });
      expect(bare.headers.get('www-authenticate')).toMatch(/^DPoP /);
      const token = await gateway.tokenFor('strict');
      const refused = await call({ authorization: `Bearer ${token}` }, '/mcp/strict');
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(/^DPoP error="invalid_token"/),
      ]);
    });

    it('RFC 9440 §4: the certificate that a stranger writes in a header proves nothing', async () => {
      const token = await gateway.tokenFor('tools', { cnf: { 'x5t#S256': thumbprint } });
      const header = new X509Certificate(testClientCertificates.agent.cert).raw.toString('base64');
      const { status } = await call({ authorization: `Bearer ${token}`, 'client-cert': `:${header}:` });
      expect(status).toBe(401);
    });
  });

  it('MCP SEP-1932: the MCP SDK calls with its DpopSession, and comes back for a nonce', async () => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    gateway = await startTestGateway({
      upstreams: upstreams(),
      gateway: { listen: { port }, publicUrl: url, dpop: { requireNonce: true } },
    });
    const session = await DpopSession.create();
    const token = await gateway.issuer.sign({
      aud: `${url}/mcp/strict`,
      cnf: { jkt: session.thumbprint },
    });
    const never = (): never => {
      throw new Error('no authorization is needed');
    };
    const authProvider: OAuthClientProvider = {
      redirectUrl: undefined,
      clientMetadata: { redirect_uris: [] },
      clientInformation: () => ({ client_id: 'test-client' }),
      tokens: () => ({ access_token: token, token_type: 'DPoP' }),
      dpop: () => session,
      saveTokens: never,
      redirectToAuthorization: never,
      saveCodeVerifier: never,
      codeVerifier: never,
    };
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp/strict`), { authProvider }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['allowed']);
    await client.close();
    await gateway.close();
  });

  it('RFC 9440: believes the certificate that a trusted proxy tells', async () => {
    const mutualTls = { enabled: true, trustedProxies: ['127.0.0.1'] };
    gateway = await startTestGateway({ upstreams: upstreams(), mutualTls });
    const token = await gateway.tokenFor('tools', { cnf: { 'x5t#S256': thumbprint } });
    const withCertificate = (pem: string): Promise<Response> =>
      call({
        authorization: `Bearer ${token}`,
        'client-cert': `:${new X509Certificate(pem).raw.toString('base64')}:`,
      });
    expect((await withCertificate(testClientCertificates.agent.cert)).status).toBe(200);
    expect((await withCertificate(testClientCertificates.selfSigned.cert)).status).toBe(401);
    expect((await call({ authorization: `Bearer ${token}` })).status).toBe(401);
    await gateway.close();
  });

  it('RFC 8705 §3: serves https and checks the certificate of the connection itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'behalf-tls-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, testCertificate.cert);
    writeFileSync(keyFile, testCertificate.key);
    gateway = await startTestGateway({
      upstreams: upstreams(),
      mutualTls: { enabled: true },
      gateway: { listen: { port: 0, tls: { certFile, keyFile, requestClientCertificate: true } } },
    });
    const token = await gateway.tokenFor('tools', { cnf: { 'x5t#S256': thumbprint } });
    const { method, headers, body } = modernRequest('tools/call', { name: 'allowed' }, { token });
    const statusWith = (certificate?: { cert: string; key: string }): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        httpsRequest(
          `${gateway.url}/mcp/tools`,
          {
            method: method ?? 'POST',
            headers: headers as Record<string, string>,
            ca: testCertificate.cert,
            agent: false,
            ...certificate,
          },
          (response) => resolve(response.resume().statusCode),
        )
          .on('error', reject)
          .end(body as string);
      });
    expect(await statusWith(testClientCertificates.agent)).toBe(200);
    expect(await statusWith(testClientCertificates.selfSigned)).toBe(401);
    expect(await statusWith()).toBe(401);
    await gateway.close();
  });
});
