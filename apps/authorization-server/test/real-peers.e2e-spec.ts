import { evaluatePolicy } from '@behalf/contracts';
import { freePort } from '@behalf/testing';
import {
  auth,
  CrossAppAccessProvider,
  discoverAndRequestJwtAuthGrant,
  DpopSession,
  PrivateKeyJwtProvider,
} from '@modelcontextprotocol/client';
import { decodeJwt, exportPKCS8 } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { agentId, TestAgents } from './test-agents.js';
import { basic, files, redirectUri, TestServer } from './test-server.js';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** What an MCP server would say about itself, without there being one. */
function withResource(issuer: string): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== new URL(files).origin) return fetch(input, init);
    return url.pathname.startsWith('/.well-known/oauth-protected-resource')
      ? Response.json({ resource: files, authorization_servers: [issuer], scopes_supported: ['mcp:tools'] })
      : new Response(undefined, { status: 404 });
  };
}

describe('an agent of ours, by clients that others wrote', () => {
  let agents: TestAgents;
  let issuer: string;
  beforeAll(async () => {
    // With nonces, so that every client has to come back for one.
    agents = await TestAgents.start({ server: { dpop: { requireNonce: true } } });
    ({ issuer } = agents.server);
    await agents.create();
  });
  afterAll(() => agents.close());

  it('MCP SDK: PrivateKeyJwtProvider and DpopSession get a bound token', async () => {
    const session = await DpopSession.create();
    class Provider extends PrivateKeyJwtProvider {
      dpop(): DpopSession {
        return session;
      }
    }
    const provider = new Provider({
      clientId: agentId,
      privateKey: await exportPKCS8(agents.key.privateKey),
      algorithm: 'ES256',
      expectedIssuer: issuer,
    });
    expect(await auth(provider, { serverUrl: files, fetchFn: withResource(issuer) })).toBe('AUTHORIZED');
    const tokens = provider.tokens();
    expect(tokens?.token_type.toLowerCase()).toBe('dpop');
    expect(decodeJwt(tokens?.access_token ?? '')).toMatchObject({
      sub: agentId,
      aud: files,
      cnf: { jkt: session.thumbprint },
    });
  });

  it('openid-client: client_credentials and token exchange with DPoP', async () => {
    const configuration = await openid.discovery(
      new URL(issuer),
      agentId,
      {},
      openid.PrivateKeyJwt({ key: agents.key.privateKey, kid: 'k' }),
      { execute: [openid.allowInsecureRequests] },
    );
    const DPoP = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'));
    const own = await openid.clientCredentialsGrant(configuration, { resource: files }, { DPoP });
    expect(own.token_type).toBe('dpop');
    const exchanged = await openid.genericGrantRequest(
      configuration,
      tokenExchange,
      {
        subject_token: await agents.personToken(),
        subject_token_type: accessTokenType,
        resource: files,
      },
      { DPoP },
    );
    expect(exchanged.token_type).toBe('dpop');
    const jkt = await DPoP.calculateThumbprint();
    for (const { access_token: token } of [own, exchanged])
      expect(decodeJwt(token)).toMatchObject({ cnf: { jkt }, client_id: agentId });
  });

  it('oauth4webapi: token exchange with DPoP and private_key_jwt', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true } as const;
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(
      url,
      await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }),
    );
    const client: oauth.Client = { client_id: agentId };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const subjectToken = await agents.personToken();
    const ask = async (): Promise<oauth.TokenEndpointResponse> =>
      oauth.processGenericTokenEndpointResponse(
        as,
        client,
        await oauth.genericTokenEndpointRequest(
          as,
          client,
          oauth.PrivateKeyJwt({ key: agents.key.privateKey, kid: 'k' }),
          tokenExchange,
          { subject_token: subjectToken, subject_token_type: accessTokenType, resource: files },
          { DPoP, ...insecure },
        ),
      );
    const answer = await ask().catch((error: unknown) => {
      if (!oauth.isDPoPNonceError(error)) throw error;
      return ask();
    });
    expect(answer.token_type).toBe('dpop');
    expect(answer['issued_token_type']).toBe(accessTokenType);
  });
});

it('MCP SDK: CrossAppAccessProvider crosses from one issuer of ours to another', async () => {
  const port = await freePort();
  const idp = `http://localhost:${port}`;
  const app = { clientId: 'their-app', demoSecret: 'their-secret', grantTypes: [jwtBearer] };
  const theirs = await TestServer.start({
    fetch: (url, options) => fetch(url, options),
    server: { clients: [app], trustedIssuers: [{ issuer: idp, identityAssertions: { people: 'all' } }] },
  });
  const permit = async () => ({ decision: true, context: { id: 'd' } });
  theirs.bus.handle(evaluatePolicy, permit);
  await theirs.bus.announced();
  const ours = await TestServer.start({
    server: {
      issuer: idp,
      clients: [
        {
          clientId: 'app',
          demoSecret: 'app-secret',
          grantTypes: ['authorization_code', tokenExchange],
          redirectUris: [redirectUri],
        },
      ],
      idJag: {
        authorizationServers: [
          {
            issuer: theirs.issuer,
            clients: { app: 'their-app' },
            resources: [files],
            scopes: ['mcp:tools'],
          },
        ],
      },
    },
  });
  ours.bus.handle(evaluatePolicy, permit);
  await ours.bus.announced();
  try {
    const code = (await ours.authorize({ client_id: 'app', scope: 'openid mcp:tools' })).get('code');
    const { body } = await ours.redeem(code, {}, basic('app', 'app-secret'));
    const provider = new CrossAppAccessProvider({
      assertion: async ({ authorizationServerUrl, resourceUrl, scope }) => {
        const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({
          idpUrl: idp,
          audience: authorizationServerUrl,
          resource: resourceUrl,
          idToken: String(body['id_token']),
          clientId: 'app',
          clientSecret: 'app-secret',
          ...(scope !== undefined && { scope }),
        });
        return jwtAuthGrant;
      },
      clientId: 'their-app',
      clientSecret: 'their-secret',
      expectedIssuer: theirs.issuer,
    });
    const fetchFn = withResource(theirs.issuer);
    expect(await auth(provider, { serverUrl: files, fetchFn })).toBe('AUTHORIZED');
    const token = provider.tokens()?.access_token ?? '';
    const { sub } = decodeJwt(String(body['id_token']));
    expect(await theirs.claims(token)).toMatchObject({
      sub: `${idp}#${sub}`,
      aud: files,
      client_id: 'their-app',
      scope: 'mcp:tools',
    });
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
});
