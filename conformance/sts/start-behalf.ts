import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { type StsConfig, stsConfigSchema } from './config.ts';

const upstreams = ['https://files.example/mcp', 'https://mail.example/mcp'] as const;
const redirectUri = 'http://127.0.0.1/callback';
const idp = 'https://idp.example';

/** Starts the authorization server and the policy service, as they were built, and signs a person in. */
export async function startBehalf(): Promise<{ config: StsConfig; close(): Promise<void> }> {
  const dist = (path: string): Promise<Record<string, any>> => import(resolve('dist', path));
  const { openInfrastructure } = await dist('libs/infrastructure/src/index.js');
  const { parseConfig } = await dist('libs/config/src/index.js');
  const { startPolicy } = await dist('apps/policy/src/policy.module.js');
  const { startAuthorizationServer } = await dist(
    'apps/authorization-server/src/authorization-server.module.js',
  );
  const { HeadlessBrowser } = await dist('libs/headless-browser/src/index.js');
  const { freePort } = await dist('libs/local-servers/src/index.js');
  const dataFolder = await mkdtemp(join(tmpdir(), 'behalf-sts-'));
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const named = { kid: 'idp', alg: 'ES256' };

  const config = parseConfig(
    {
      dataFolder,
      logLevel: 'error',
      authorizationServer: {
        issuer,
        listen: { port },
        signIn: { method: 'local', users: [{ username: 'alice', password: 'alice', name: 'Alice' }] },
        scopes: { 'mcp:tools': 'Use its tools' },
        resources: [
          resource('https://agent.example', ['mcp:tools'], ['demo-gateway']),
          resource(upstreams[0], ['mcp:tools', 'files:write'], ['demo-agent']),
          resource(upstreams[1], ['mcp:tools'], []),
        ],
        clients: [
          client('app', ['authorization_code', 'refresh_token'], { redirectUris: [redirectUri] }),
          client('demo-gateway', [exchange, jwtBearer], ceiling),
          client('demo-agent', [exchange], ceiling),
          client('stranger', [exchange], ceiling),
        ],
        trustedIssuers: [
          {
            issuer: idp,
            jwks: { keys: [{ ...(await exportJWK(publicKey)), ...named }] },
            identityAssertions: { people: 'all' },
          },
        ],
      },
      policy: { listen: { port: 0 }, policies: resolve('conformance/sts/policies') },
      gateway: { clientId: 'demo-gateway', upstreams: {} },
    },
    {},
  );
  const service = await openInfrastructure({ name: 'sts', config }, async (infrastructure: never) => {
    const policy = await startPolicy(infrastructure);
    const server = await startAuthorizationServer(infrastructure);
    return {
      url: issuer,
      close: async () => {
        await server.close();
        await policy.close();
      },
    };
  });

  return {
    config: stsConfigSchema.parse({
      issuer,
      clients: {
        exchanger: known('demo-gateway'),
        next: known('demo-agent'),
        stranger: known('stranger'),
        subject: known('app'),
      },
      subject: { grant: await signIn(issuer, new HeadlessBrowser()) },
      exchange: {
        target: { resource: upstreams[0] },
        nextTarget: { resource: upstreams[1] },
        scope: 'mcp:tools',
        scopeBeyond: 'files:write',
      },
      idJag: {
        issuer: idp,
        privateJwk: { ...(await exportJWK(privateKey)), ...named },
        subject: 'eve',
        resource: upstreams[0],
        scope: 'mcp:tools',
      },
    }),
    async close() {
      await service.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ceiling = { exchange: { audiences: [...upstreams], scopes: ['mcp:tools'] } };

const known = (clientId: string) => ({ clientId, secret: `${clientId}-secret` });

function client(clientId: string, grantTypes: string[], more: object) {
  return { clientId, demoSecret: `${clientId}-secret`, grantTypes, ...more };
}

function resource(identifier: string, scopes: string[], servedBy: string[]) {
  return { resource: identifier, name: identifier, scopes, servedBy };
}

/** The grant that gives fresh tokens of the person. */
async function signIn(issuer: string, browser: any): Promise<Record<string, string>> {
  const verifier = randomBytes(32).toString('base64url');
  const target = 'https://agent.example';
  const url = new URL(`${issuer}/auth`);
  const parameters = {
    client_id: 'app',
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: target,
    scope: 'mcp:tools',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const back: URL = await browser.signInAndConsent(url, {
    username: 'alice',
    stopAt: (at: URL) => at.pathname === '/callback',
  });
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('app:app-secret').toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: target,
    }),
  });
  const { refresh_token: refreshToken } = (await response.json()) as { refresh_token: string };
  return { grant_type: 'refresh_token', refresh_token: refreshToken, resource: target };
}
