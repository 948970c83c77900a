import { certificateThumbprint } from '@behalf/client-certificate';
import { testClientCertificates } from '@behalf/testing';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { redirectUri, signIn } from './oauth-client.fixture.js';

const { agent: held, selfSigned } = testClientCertificates;
const client = { clientId: 'bound-client', secret: 'bound-client-secret' };

/** The certificate of the connection, as the proxy in front tells it. */
const certificate = (pem: string): Record<string, string> => ({
  'client-cert': `:${new X509Certificate(pem).raw.toString('base64')}:`,
});

/** The demo behind a proxy that tells certificates, with a client whose tokens are bound to them. */
function startBehindProxy(dpopSettings?: object): Promise<DemoSystem> {
  return startDemoSystem({
    adjust: (file) => {
      file['mutualTls'] = { enabled: true, trustedProxies: ['127.0.0.1', '::1'] };
      file['authorizationServer'].clients.push({
        clientId: client.clientId,
        clientName: 'Client with a certificate',
        demoSecret: client.secret,
        redirectUris: [redirectUri],
        boundTokens: 'mtls',
      });
      if (dpopSettings) file['gateway'].dpop = dpopSettings;
    },
  });
}

async function boundToken(system: DemoSystem): Promise<string> {
  const { access_token: token } = await signIn(system, {
    username: 'alice',
    resource: system.mcpUrl('whoami'),
    ...client,
    headers: certificate(held.cert),
  });
  expect(decodeJwt(token)['cnf']).toEqual({
    'x5t#S256': certificateThumbprint(new X509Certificate(held.cert)),
  });
  return token;
}

const whoami = (system: DemoSystem, token: string, headers: Record<string, string>) =>
  callTool(system.mcpUrl('whoami'), 'whoami', {}, { token, headers });

describe('a token that is bound to a client certificate, through the gateway', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let system: DemoSystem;
  let jkt: string;
  let token: string;
  beforeAll(async () => {
    jkt = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
    process.env['BEHALF_GATEWAY_DPOP_KEY'] = JSON.stringify(privateKey.export({ format: 'jwk' }));
    system = await startBehindProxy({ key: { privateKeyEnv: 'BEHALF_GATEWAY_DPOP_KEY', jkt } });
    token = await boundToken(system);
  }, startTimeoutMs);
  afterAll(async () => {
    delete process.env['BEHALF_GATEWAY_DPOP_KEY'];
    await system?.close();
  });

  it('RFC 8693 §4.4: becomes one for the upstream that is bound to the gateway’s key, with the gateway acting', async () => {
    const { status, body } = await whoami(system, token, certificate(held.cert));
    expect(status).toBe(200);
    const seen = JSON.parse(body.result.content[0].text);
    expect(seen).toMatchObject({ sub: 'alice', cnf: { jkt } });
    expect(seen.act).toEqual({ sub: 'demo-gateway' });
    expect([seen.aud].flat()).toEqual([expect.not.stringContaining(system.gateway)]);
  });

  it.each([
    ['another certificate', certificate(selfSigned.cert)],
    ['no certificate', {}],
  ])('RFC 8705 §3: with %s: 401', async (_which, headers: Record<string, string>) => {
    const { status, headers: answered, body } = await whoami(system, token, headers);
    expect([status, answered.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ]);
    expect(body?.result).toBeUndefined();
  });
});

it(
  'a token that is bound to a client certificate is of no use for exchanges where the gateway has no key for it: 403',
  async () => {
    const system = await startBehindProxy();
    try {
      const token = await boundToken(system);
      expect(decodeJwt(token)).not.toHaveProperty('may_act');
      const { status, body } = await whoami(system, token, certificate(held.cert));
      expect(status).toBe(403);
      expect(body?.result).toBeUndefined();
    } finally {
      await system.close();
    }
  },
  startTimeoutMs,
);
