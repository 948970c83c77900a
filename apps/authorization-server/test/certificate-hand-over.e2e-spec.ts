import { X509Certificate } from 'node:crypto';
import { certificateThumbprint } from '@behalf/client-certificate';
import { testClientCertificates } from '@behalf/testing';
import * as dpop from 'dpop';
import { decodeJwt, SignJWT } from 'jose';
import { agentId, agentResource, type KeyPair, keyPair, TestAgents, tokenExchange } from './test-agents.js';
import { basic, files, redirectUri, type TestServer, type Tokens } from './test-server.js';

const idp = 'https://idp.example';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const { agent: held, selfSigned } = testClientCertificates;
const header = (pem: string): Record<string, string> => ({
  'client-cert': `:${new X509Certificate(pem).raw.toString('base64')}:`,
});
const cnf = { 'x5t#S256': certificateThumbprint(new X509Certificate(held.cert)) };

describe('a token that is bound to a client certificate', () => {
  let agents: TestAgents;
  let server: TestServer;
  let gatewayKey: dpop.KeyPair;
  let idpKey: KeyPair;
  let jkt: string;
  beforeAll(async () => {
    gatewayKey = await dpop.generateKeyPair('ES256');
    idpKey = await keyPair('idp');
    jkt = await dpop.calculateThumbprint(gatewayKey.publicKey);
    const client = { clientId: 'web-app', demoSecret: 'web-app-secret', redirectUris: [redirectUri] };
    agents = await TestAgents.start({
      server: {
        clients: [
          {
            ...client,
            boundTokens: 'mtls',
            grantTypes: ['authorization_code', 'refresh_token', jwtBearer],
          },
          { ...client, clientId: 'unbound' },
          {
            clientId: 'gateway',
            demoSecret: 'gateway-secret',
            grantTypes: [tokenExchange],
            exchange: { audiences: ['*'], scopes: ['mcp:tools'] },
          },
          {
            clientId: 'operator',
            demoSecret: 'operator-secret',
            grantTypes: ['client_credentials'],
            scopes: ['admin'],
          },
        ],
        trustedIssuers: [
          { issuer: idp, jwks: { keys: [idpKey.publicJwk] }, identityAssertions: { people: 'all' } },
        ],
      },
      gateway: {
        dpop: { key: { privateKeyEnv: 'HELD_BY_THE_GATEWAY', jkt } },
        upstreams: { files: { transport: 'stdio', command: 'unused' } },
      },
      mutualTls: { enabled: true, trustedProxies: ['127.0.0.1', '::1'] },
    });
    ({ server } = agents);
    await agents.create({
      jwks: undefined,
      credential: { method: 'self_signed_tls_client_auth', certificates: [selfSigned.cert] },
      boundTokens: 'mtls',
    });
  });
  afterAll(() => agents.close());

  const subjectToken = async (): Promise<string> => {
    const code = (await server.authorize({ scope: 'mcp:tools' })).get('code');
    return (await server.redeem(code, {}, undefined, header(held.cert))).body.access_token;
  };
  const proof = (key = gatewayKey): Promise<string> =>
    dpop.generateProof(key, `${server.issuer}/token`, 'POST');
  const goOn = async (token: string, headers: Record<string, string> = {}): Promise<Tokens> =>
    agents.exchangeAtGateway(token, {}, headers);

  it('RFC 8693 §4.4: hands itself over to its resource, which gets one that is bound to its key', async () => {
    const subject = await subjectToken();
    const mayAct = { sub: 'gateway', iss: server.issuer, cnf: { jkt } };
    expect(decodeJwt(subject)).toMatchObject({ cnf, may_act: mayAct });
    const { status, body } = await goOn(subject, { dpop: await proof() });
    expect([status, body['token_type']]).toEqual([200, 'DPoP']);
    const issued = decodeJwt(body.access_token);
    expect(issued).toMatchObject({ sub: 'alice', act: { sub: 'gateway' }, cnf: { jkt } });
    expect(issued).not.toHaveProperty('may_act');
  });

  it('RFC 8705 §3: stolen, is worth nothing without that key: not by the secret, another key or the certificate’s name', async () => {
    const subject = await subjectToken();
    const other = await dpop.generateKeyPair('ES256');
    const attempts: Record<string, string>[] = [
      {},
      { dpop: await proof(other) },
      header(selfSigned.cert),
      { dpop: await proof(other), ...header(selfSigned.cert) },
    ];
    for (const headers of attempts) {
      const { status, body } = await goOn(subject, headers);
      expect([status, body.error]).toEqual([400, 'invalid_request']);
    }
  });

  /** What the agent gets for it, which proves its certificate. */
  const exchangeAtAgent = (token: string): Promise<Tokens> =>
    server.token(
      {
        grant_type: tokenExchange,
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: files,
        client_id: agentId,
      },
      null,
      header(selfSigned.cert),
    );
  const agentsToken = async (): Promise<string> => {
    const wanted = { client_id: 'unbound', resource: agentResource, scope: 'mcp:tools' };
    const code = (await server.authorize(wanted)).get('code');
    const unbound = basic('unbound', 'web-app-secret');
    return (await server.redeem(code, { resource: agentResource }, unbound)).body.access_token;
  };

  it('hands itself over after an exchange, too, and the chain stays', async () => {
    const { body } = await exchangeAtAgent(await agentsToken());
    expect(decodeJwt(body.access_token)).toMatchObject({ may_act: { sub: 'gateway', cnf: { jkt } } });
    const next = await goOn(body.access_token, { dpop: await proof() });
    expect(decodeJwt(next.body.access_token)['act']).toEqual({ sub: 'gateway', act: { sub: agentId } });
  });

  it('RFC 8693 §4.4: is nobody else’s to go on with, not even its client’s with the certificate', async () => {
    const { body } = await exchangeAtAgent(await agentsToken());
    expect((await exchangeAtAgent(body.access_token)).body.error).toBe('invalid_request');
  });

  it('hands itself over when it comes of an identity assertion', async () => {
    const now = Math.floor(server.clock.nowMs() / 1000);
    const assertion = await new SignJWT({
      iss: idp,
      sub: 'eve',
      aud: server.issuer,
      client_id: 'web-app',
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      resource: files,
      scope: 'mcp:tools',
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'idp', typ: 'oauth-id-jag+jwt' })
      .sign(idpKey.privateKey);
    const { body } = await server.token(
      { grant_type: jwtBearer, assertion },
      basic('web-app', 'web-app-secret'),
      header(held.cert),
    );
    expect(decodeJwt(body.access_token)).toMatchObject({ cnf, may_act: { sub: 'gateway', cnf: { jkt } } });
    expect((await goOn(body.access_token, { dpop: await proof() })).status).toBe(200);
  });

  it('does so for resources that have a key only, and tokens that are not bound to one do not', async () => {
    const resource = agentResource;
    const code = (await server.authorize({ resource, scope: 'mcp:tools' })).get('code');
    const { body } = await server.redeem(code, { resource }, undefined, header(held.cert));
    expect(decodeJwt(body.access_token)).toMatchObject({ cnf });
    expect(decodeJwt(body.access_token)).not.toHaveProperty('may_act');
    const plain = (await server.authorize({ client_id: 'unbound', scope: 'mcp:tools' })).get('code');
    const unbound = await server.redeem(plain, {}, basic('unbound', 'web-app-secret'), header(held.cert));
    expect(decodeJwt(unbound.body.access_token)).not.toHaveProperty('may_act');
  });
});
