import { generateKeyPairSync, X509Certificate } from 'node:crypto';
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
import { verifyDpopProof } from '@behalf/resource-server';
import * as dpop from 'dpop';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, type JWK } from 'jose';
import { modernRequest } from './clients.js';
import { publicUrl, startTestGateway, type TestGateway } from './gateway-fixture.js';
import {
  answerEverything,
  type RecordingUpstream,
  respond,
  type SeenRequest,
  startRecordingUpstream,
} from './recording-upstream.js';

const resource = `${publicUrl}/mcp/tools`;
const thumbprint = certificateThumbprint(new X509Certificate(testClientCertificates.agent.cert));

const decodeProof = (proof: unknown): { claims: Record<string, unknown>; jwk: JWK } => ({
  claims: decodeJwt(String(proof)),
  jwk: decodeProtectedHeader(String(proof)).jwk as JWK,
});

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
      gateway = await startTestGateway({ replicas: 1, upstreams: upstreams() });
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

  describe('DPoP through to a server that needs exchanged tokens', () => {
    let reply = answerEverything;
    let server: RecordingUpstream;
    const nonces = { issuedAtMs: () => 0 };
    /** What a server finds that looks at proofs as RFC 9449 §4.3 says: the thumbprint of the key. */
    const verified = async (seen: SeenRequest | undefined): Promise<string> => {
      const { authorization, dpop: sent } = seen?.headers ?? {};
      const accessToken = /^DPoP (.+)$/.exec(authorization ?? '')?.[1] ?? '';
      const expected = { method: 'POST', url: server.url, accessToken, requireNonce: false, nonces };
      const now = Math.floor(Date.now() / 1000);
      return (await verifyDpopProof(String(sent), { ...expected, nowSeconds: now })).jkt;
    };
    const callBound = async (): Promise<[Response, string, string]> => {
      const token = await gateway.tokenFor('tools', { cnf });
      const sent = await proof(token);
      return [await call({ authorization: `DPoP ${token}`, dpop: sent }), token, sent];
    };
    beforeAll(async () => {
      server = await startRecordingUpstream((seen, response) => reply(seen, response));
      gateway = await startTestGateway({
        replicas: 1,
        upstreams: { tools: { transport: 'http', url: server.url } },
      });
    });
    beforeEach(() => {
      reply = answerEverything;
      server.seen.length = 0;
      gateway.issuer.exchanges.length = 0;
      gateway.issuer.requireNonce(undefined);
      gateway.issuer.answerTokenType(undefined);
    });
    afterAll(async () => {
      await gateway.close();
      server.close();
    });

    it('hands the caller’s proof on, proves a key of its own, and sends proofs of that key', async () => {
      const [response, token, sent] = await callBound();
      expect(response.status).toBe(200);
      const [exchange] = gateway.issuer.exchanges;
      expect(exchange?.form).toMatchObject({ subject_token: token, subject_token_proof: sent });
      const own = decodeProof(exchange?.dpop);
      expect(own.claims).toMatchObject({ htm: 'POST', htu: `${gateway.issuer.url}/token` });
      const jkt = await calculateJwkThumbprint(own.jwk);
      expect(jkt).not.toBe(cnf.jkt);
      for (const seen of server.seen) expect(await verified(seen)).toBe(jkt);
      expect(new Set(server.seen.map(({ headers }) => headers['dpop'])).size).toBe(server.seen.length);
      expect(JSON.stringify(server.seen.map(({ headers }) => headers))).not.toContain(sent);
    });

    it('RFC 8693 §4.4: goes on with a token of a certificate by the key that it hands itself over to', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const jkt = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
      const keyed = await startTestGateway({
        replicas: 1,
        upstreams: { tools: { transport: 'http', url: server.url } },
        gateway: { dpop: { key: { privateKeyEnv: 'GATEWAY_DPOP_KEY', jkt } } },
        environment: { GATEWAY_DPOP_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })) },
        mutualTls: { enabled: true, trustedProxies: ['127.0.0.1'] },
      });
      const certificate = new X509Certificate(testClientCertificates.agent.cert).raw.toString('base64');
      const callWith = async (named: string, headers: Record<string, string>): Promise<number> => {
        const may_act = { sub: 'demo-gateway', iss: keyed.issuer.url, cnf: { jkt: named } };
        const token = await keyed.tokenFor('tools', { cnf: { 'x5t#S256': thumbprint }, may_act });
        const { status } = await fetch(
          `${keyed.url}/mcp/tools`,
          modernRequest('tools/call', { name: 'allowed' }, { token, headers }),
        );
        return status;
      };
      try {
        expect(await callWith(jkt, { 'client-cert': `:${certificate}:` })).toBe(200);
        const [exchange] = keyed.issuer.exchanges;
        expect(exchange?.form).not.toHaveProperty('subject_token_proof');
        expect(await calculateJwkThumbprint(decodeProof(exchange?.dpop).jwk)).toBe(jkt);
        for (const seen of server.seen) expect(await verified(seen)).toBe(jkt);
        // The certificate is looked at before, and the key is shown for tokens that name it only.
        expect(await callWith(jkt, {})).toBe(401);
        keyed.issuer.exchanges.length = 0;
        await callWith('another', { 'client-cert': `:${certificate}:` });
        expect(keyed.issuer.exchanges).toEqual([expect.not.objectContaining({ dpop: expect.anything() })]);
      } finally {
        await keyed.close();
      }
    });

    it('a bearer token is exchanged for a bearer token', async () => {
      const response = await call({ authorization: `Bearer ${await gateway.tokenFor('tools')}` });
      expect(response.status).toBe(200);
      expect(gateway.issuer.exchanges).toEqual([expect.not.objectContaining({ dpop: expect.anything() })]);
      expect(server.seen.at(-1)?.headers.authorization).toMatch(/^Bearer /);
      expect(server.seen.at(-1)?.headers['dpop']).toBeUndefined();
    });

    it.each([
      ['a bearer token in return for a bound one', 'Bearer', callBound],
      ['a token of a type it did not ask for', 'N_A', callBound],
    ])('RFC 9449 §5: %s goes to no server', async (_title, type, send) => {
      gateway.issuer.answerTokenType(type);
      const [response] = await send();
      expect(response.status).toBe(503);
      expect(server.seen).toEqual([]);
    });

    it('a bound token in return for a bearer token goes to no server: there is no key for it', async () => {
      gateway.issuer.answerTokenType('DPoP');
      const response = await call({ authorization: `Bearer ${await gateway.tokenFor('tools')}` });
      expect(response.status).toBe(503);
      expect(server.seen).toEqual([]);
    });

    it('RFC 9449 §8: comes back to the token endpoint with its nonce, once, and keeps it', async () => {
      gateway.issuer.requireNonce('n1');
      expect((await callBound())[0].status).toBe(200);
      expect((await callBound())[0].status).toBe(200);
      const sent = gateway.issuer.exchanges.map(({ dpop: own }) => decodeProof(own).claims['nonce']);
      expect(sent).toEqual([undefined, 'n1', 'n1']);
    });

    it('RFC 9449 §9: comes back to the server with its nonce, once', async () => {
      let refusals = 0;
      reply = (seen, response) => {
        if (decodeProof(seen.headers['dpop']).claims['nonce'] === 'of the server')
          return answerEverything(seen, response);
        refusals += 1;
        const challenge = 'DPoP error="use_dpop_nonce"';
        respond(response, {}, { 'dpop-nonce': 'of the server', 'www-authenticate': challenge }, 401);
      };
      expect((await callBound())[0].status).toBe(200);
      expect((await callBound())[0].status).toBe(200);
      expect(refusals).toBe(1);
      reply = (_seen, response) => {
        refusals += 1;
        const challenge = 'DPoP error="use_dpop_nonce"';
        respond(response, {}, { 'dpop-nonce': 'never enough', 'www-authenticate': challenge }, 401);
      };
      const [response] = await callBound();
      expect([response.status, refusals]).toEqual([502, 3]);
      for (const header of ['dpop-nonce', 'www-authenticate'])
        expect(response.headers.get(header) ?? '').not.toContain('never enough');
    });
  });

  it('MCP SEP-1932: the MCP SDK calls with its DpopSession, and comes back for a nonce', async () => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    gateway = await startTestGateway({
      replicas: 1,
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
    gateway = await startTestGateway({ replicas: 1, upstreams: upstreams(), mutualTls });
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
      replicas: 1,
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
