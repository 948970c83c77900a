import { createGuardedRequest } from '@behalf/adapter-http';
import type { ProviderConfig } from '@behalf/config';
import { type FakeProvider, FakeClock, startFakeProvider } from '@behalf/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClientRegistrations,
  type OutboundHttp,
  type PendingAuthorization,
  type Provider,
  ThirdPartyClient,
  type ThirdPartyError,
  resolveProviders,
} from './index.js';

const redirectUri = 'https://behalf.example/callback/acme';
const http = createGuardedRequest({ allowLoopback: true, maxBytes: 65_536, timeoutMs: 5_000 });

function clientWith(transport: OutboundHttp = http, registrations = memoryRegistrations()): ThirdPartyClient {
  return new ThirdPartyClient({
    http: transport,
    clock: new FakeClock(),
    allowLoopback: true,
    clientMetadataUrl: 'https://behalf.example/client-metadata.json',
    registrations,
  });
}

function memoryRegistrations(): ClientRegistrations & { kept: Map<string, unknown> } {
  const kept = new Map<string, never>();
  return {
    kept,
    get: async (issuer, uri) => kept.get(`${issuer} ${uri}`),
    keep: async (uri, client) => {
      kept.set(`${client.issuer} ${uri}`, client as never);
      return client;
    },
  };
}

function providerOf(config: Partial<ProviderConfig>): Provider {
  const base = { kind: 'oauth', id: 'acme', resources: ['https://api.acme.example'], internalHosts: [] };
  const client = { id: 'behalf', demoSecret: 'not so secret' };
  const [provider] = resolveProviders([{ ...base, client, ...config } as ProviderConfig], {});
  if (!provider) throw new Error('not resolved');
  return provider;
}

const problemOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: ThirdPartyError) => error.problem,
  );

describe('ThirdPartyClient', () => {
  let acme: FakeProvider;
  let provider: Provider;
  let thirdParties: ThirdPartyClient;
  beforeEach(async () => {
    thirdParties = clientWith();
    acme = await startFakeProvider({ refreshTokens: 'rotating' });
    provider = providerOf({ issuer: acme.issuer });
  });
  afterEach(() => acme.close());

  async function start(
    of = provider,
    client = thirdParties,
  ): Promise<{ pending: PendingAuthorization; callback: URLSearchParams; asked: URLSearchParams }> {
    const { url, pending } = await client.authorizationUrl(of, {
      redirectUri,
      state: 'a-state-nobody-guesses',
      scopes: ['read', 'write'],
    });
    const asked = new URL(url).searchParams;
    const code = acme.issueCode(asked.get('code_challenge') ?? '');
    return { pending, asked, callback: new URLSearchParams({ code, state: pending.state }) };
  }

  it('asks besides for what is never told in an answer, and does not look for it there', async () => {
    const { asked, pending } = await start(
      providerOf({ issuer: acme.issuer, quirks: { addedScopes: ['offline_access'] } }),
    );
    expect(asked.get('scope')).toBe('offline_access read write');
    expect(pending.scopes).toEqual(['read', 'write']);
  });

  it('asks with PKCE and redeems the code once', async () => {
    const { pending, callback, asked } = await start();
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('scope')).toBe('read write');
    expect(asked.has('resource')).toBe(false);
    const tokens = await thirdParties.redeemCode(provider, pending, callback);
    expect(acme.isLive(tokens.accessToken)).toBe(true);
    expect(tokens).toMatchObject({ expiresInSeconds: 3600, scopes: ['read', 'write'], tokenType: 'Bearer' });
    expect(await problemOf(thirdParties.redeemCode(provider, pending, callback))).toBe('invalid_grant');
  });

  it('cannot redeem a code that another request asked for', async () => {
    const [one, other] = [await start(), await start()];
    expect(await problemOf(thirdParties.redeemCode(provider, one.pending, other.callback))).toBe(
      'invalid_grant',
    );
  });

  it.each([
    ['another state', (callback: URLSearchParams) => callback.set('state', 'another')],
    ['no state', (callback: URLSearchParams) => callback.delete('state')],
    ['two states', (callback: URLSearchParams) => callback.append('state', 'a-state-nobody-guesses')],
    [
      'the issuer of another provider',
      (callback: URLSearchParams) => callback.set('iss', 'https://evil.example'),
    ],
    [
      'an error of another provider',
      (callback: URLSearchParams) => {
        callback.set('iss', 'https://evil.example');
        callback.set('error', 'access_denied');
      },
    ],
  ])('sends no code anywhere when the callback has %s', async (_name, change) => {
    const { pending, callback } = await start();
    change(callback);
    expect(await problemOf(thirdParties.redeemCode(provider, pending, callback))).toBe('mix_up');
    expect(acme.forms).toHaveLength(0);
  });

  it('wants `iss` from a provider that says it always sends it', async () => {
    acme.metadata['authorization_response_iss_parameter_supported'] = true;
    const { pending, callback } = await start();
    expect(await problemOf(thirdParties.redeemCode(provider, pending, callback))).toBe('mix_up');
    callback.set('iss', acme.issuer);
    expect(await problemOf(thirdParties.redeemCode(provider, pending, callback))).toBe('none');
  });

  it('refuses a callback whose request went to another provider', async () => {
    const { pending, callback } = await start();
    const other = { ...provider, id: 'other' };
    expect(await problemOf(thirdParties.redeemCode(other, pending, callback))).toBe('mix_up');
  });

  it('says that the person declined', async () => {
    const { pending } = await start();
    const callback = new URLSearchParams({ error: 'access_denied', state: pending.state });
    expect(await problemOf(thirdParties.redeemCode(provider, pending, callback))).toBe('denied');
  });

  it('believes no metadata that names another issuer', async () => {
    acme.metadata['issuer'] = 'https://evil.example';
    expect(await problemOf(start())).toBe('malformed');
  });

  it.each(['javascript:alert(1)', 'http://evil.example/authorize', 'ftp://acme.example/'])(
    'sends no browser to %s',
    async (url) => {
      acme.metadata['authorization_endpoint'] = url;
      expect(await problemOf(start())).toBe('malformed');
    },
  );

  it('dials no inside address that metadata names, and sends no code there', async () => {
    const outside: OutboundHttp = async (url, request) => {
      if (new URL(url).pathname.startsWith('/.well-known/')) return http(url, request);
      return guardedOutside(url, request);
    };
    const guardedOutside = createGuardedRequest({
      allowLoopback: false,
      maxBytes: 65_536,
      timeoutMs: 1_000,
      resolve: async () => ['169.254.169.254'],
    });
    for (const token_endpoint of ['https://169.254.169.254/token', 'https://innocent.example/token']) {
      acme.metadata['token_endpoint'] = token_endpoint;
      const guarded = clientWith(outside);
      const { pending, callback } = await start(provider, guarded);
      expect(await problemOf(guarded.redeemCode(provider, pending, callback))).toBe('forbidden_address');
    }
  });

  it('refreshes, and tells a refused refresh token from an answer that got lost', async () => {
    const { refreshToken, grantId } = acme.grant();
    const request = { refreshToken, scopes: [], client: undefined };
    expect(await problemOf(thirdParties.refresh(provider, request))).toBe('none');
    acme.answerFate = () => 'drop';
    const lost = { ...request, refreshToken: acme.grant().refreshToken };
    expect(await problemOf(thirdParties.refresh(provider, lost))).toBe('outcome_unknown');
    acme.answerFate = () => ({ status: 502, body: {} });
    expect(await problemOf(thirdParties.refresh(provider, lost))).toBe('outcome_unknown');
    acme.answerFate = () => ({ status: 429, body: {} });
    expect(await problemOf(thirdParties.refresh(provider, lost))).toBe('unavailable');
    acme.answerFate = () => 'send';
    acme.revokeGrant(grantId);
    expect(await problemOf(thirdParties.refresh(provider, request))).toBe('invalid_grant');
    await acme.close();
    expect(await problemOf(thirdParties.refresh(provider, request))).toBe('unavailable');
  });

  it('learns nothing from a provider when the caller gives up', async () => {
    acme.answerFate = () => new Promise(() => {});
    const controller = new AbortController();
    const request = { refreshToken: acme.grant().refreshToken, scopes: [], client: undefined };
    const refreshing = problemOf(thirdParties.refresh(provider, { ...request, signal: controller.signal }));
    controller.abort();
    expect(await refreshing).toBe('outcome_unknown');
  });

  it('revokes both tokens where the metadata says', async () => {
    const { accessToken, refreshToken, grantId } = acme.grant();
    expect(await thirdParties.revoke(provider, { accessToken, refreshToken, client: undefined })).toBe(
      'revoked',
    );
    expect(acme.isGrantRevoked(grantId)).toBe(true);
  });

  describe('with an MCP server', () => {
    let server: ReturnType<typeof createServer>;
    let mcp: Provider;
    let described: Record<string, unknown>;
    const registered: unknown[] = [];
    beforeEach(async () => {
      registered.length = 0;
      server = createServer((request, response) => {
        const origin = `http://${request.headers.host}`;
        const challenge = {
          'www-authenticate': `Bearer resource_metadata="${origin}/metadata", scope="read"`,
        };
        if (request.url === '/mcp') return void response.writeHead(401, challenge).end();
        if (request.url === '/metadata') return void response.end(JSON.stringify(described));
        if (request.url !== '/register') return void response.writeHead(404).end();
        request.once('data', (chunk: Buffer) => {
          registered.push(JSON.parse(chunk.toString()));
          response.writeHead(201).end(JSON.stringify({ client_id: 'given', redirect_uris: [redirectUri] }));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      described = { resource: `${origin}/mcp`, authorization_servers: [acme.issuer] };
      acme.metadata['registration_endpoint'] = `${origin}/register`;
      mcp = providerOf({ kind: 'mcp', server: `${origin}/mcp`, client: undefined });
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('comes by its metadata document, and sends the resource as the server spells it', async () => {
      acme.metadata['client_id_metadata_document_supported'] = true;
      const { asked, pending, callback } = await start(mcp);
      expect(asked.get('client_id')).toBe('https://behalf.example/client-metadata.json');
      expect(asked.get('resource')).toBe(described['resource']);
      await thirdParties.redeemCode(mcp, pending, callback);
      expect(acme.forms[0]?.get('resource')).toBe(described['resource']);
    });

    it('registers once where there is no better way', async () => {
      const client = clientWith();
      const first = await start(mcp, client);
      await start(mcp, client);
      expect(first.asked.get('client_id')).toBe('given');
      expect(registered).toEqual([
        expect.objectContaining({ redirect_uris: [redirectUri], application_type: 'web' }),
      ]);
    });

    it('shows its refresh token to no other authorization server than the one that gave it', async () => {
      const client = { issuer: 'https://before.example', clientId: 'given', clientSecret: undefined };
      const refreshing = clientWith().refresh(mcp, { refreshToken: 'rt', scopes: [], client });
      expect(await problemOf(refreshing)).toBe('malformed');
      expect(acme.forms).toHaveLength(0);
    });

    it.each(['https://evil.example/mcp', 'http://127.0.0.1:1/mcp', ''])(
      'believes no metadata of the resource %j',
      async (resource) => {
        described['resource'] = resource;
        expect(await problemOf(start(mcp, clientWith()))).toBe('malformed');
      },
    );

    it('does without a server that does not do PKCE', async () => {
      delete acme.metadata['code_challenge_methods_supported'];
      expect(await problemOf(start(mcp, clientWith()))).toBe('malformed');
    });
  });

  describe('with credentials that people enter', () => {
    const statusOf =
      (status: number, body = '{"login":"octocat"}'): OutboundHttp =>
      async () => ({ status, headers: {}, body: Buffer.from(body) });
    const entered = providerOf({
      kind: 'static',
      preset: 'github-token',
      credential: { header: 'Authorization', prefix: 'Bearer ' },
    } as Partial<ProviderConfig>);
    const probe = (transport: OutboundHttp, credential = 'github_pat_x') =>
      clientWith(transport).probeStaticCredential(entered, credential);

    it('takes a good one, and names its account', async () => {
      expect(await probe(statusOf(200))).toEqual({ account: 'octocat' });
      expect(await probe(statusOf(200, 'no json'))).toEqual({ account: undefined });
    });

    it('tells a bad one from a provider that is down', async () => {
      expect(await problemOf(probe(statusOf(401)))).toBe('invalid_grant');
      expect(await problemOf(probe(statusOf(503)))).toBe('outcome_unknown');
    });

    it.each(['', 'a b', 'a\r\nx-admin: 1', 'a\u0000', 'ü', 'x'.repeat(8193)])(
      'sends nothing that would not fit a header (%#)',
      async (credential) => {
        const never: OutboundHttp = () => Promise.reject(new Error('was sent'));
        expect(await problemOf(probe(never, credential))).toBe('invalid_grant');
      },
    );
  });
});
