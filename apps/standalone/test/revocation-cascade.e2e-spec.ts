import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import { TestBrowser } from '@behalf/testing';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { formOf, type Parameters, requestToken, signIn, type TokenAnswer } from './oauth-client.fixture.js';

const agentResource = 'http://localhost:4020/agent';
const admin = { clientId: 'demo-admin', secret: 'demo-admin-secret' };
const gateway = { clientId: 'demo-gateway', secret: 'demo-gateway-secret' };
const client = { clientId: 'demo-agent', secret: 'demo-agent-secret' };

let system: DemoSystem;
let policies: string;
let agentId: string;
let adminToken: string;
const key = await generateKeyPair('ES256', { extractable: true });

beforeAll(async () => {
  policies = await mkdtemp(join(tmpdir(), 'behalf-policies-'));
  await cp('deploy/demo/policies', policies, { recursive: true });
  system = await startDemoSystem({
    adjust: (file) => {
      agentId = `${file['authorizationServer'].issuer}/agents/reporter`;
      file['policy'].policies = policies;
      permitAgent();
      const { whoami } = file['gateway'].upstreams;
      file['gateway'].upstreams = { whoami: { ...whoami, delegation: 'grant' } };
      delete file['gateway'].legacyDefaultUpstream;
      const resources = file['authorizationServer'].resources as { resource: string; servedBy: string[] }[];
      resources.find(({ resource }) => resource === agentResource)?.servedBy.push(agentId);
    },
  });
  const resource = `${system.issuer}/admin`;
  const answer = await requestToken(system, { grant_type: 'client_credentials', resource }, admin);
  adminToken = answer.body.access_token;
  await administer('POST', '/agents', {
    slug: 'reporter',
    name: 'Reporter',
    owner: 'ops@example.com',
    purpose: 'Asks who it is',
    jwks: { keys: [{ ...(await exportJWK(key.publicKey)), kid: 'k' }] },
    ceiling: { audiences: [system.mcpUrl('whoami')], scopes: ['mcp:tools'] },
  });
}, startTimeoutMs);
afterAll(async () => {
  await system?.close();
  await rm(policies, { recursive: true, force: true });
});

/** The policy of the demo names its agents one by one; this is one more. */
function permitAgent(): void {
  const file = join(policies, 'exchange.cedar');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('Agent::"demo-agent",', `Agent::"demo-agent", Agent::"${agentId}",`));
}

async function administer(method: string, path: string, body?: object): Promise<Record<string, any>> {
  const response = await fetch(`${system.issuer}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, any>;
}

async function assertion(): Promise<string> {
  return new SignJWT({ iss: agentId, sub: agentId, aud: system.issuer, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(key.privateKey);
}

async function exchangeAsAgent(subject: string, more: Parameters = {}): Promise<TokenAnswer> {
  return requestToken(system, {
    grant_type: grantTypes.tokenExchange,
    subject_token: subject,
    subject_token_type: tokenTypes.accessToken,
    resource: system.mcpUrl('whoami'),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(),
    ...more,
  });
}

interface Chain {
  browser: TestBrowser;
  /** Of alice, for the agent. */
  root: string;
  /** Of the agent, for the gateway. */
  delegated: string;
  /** Of the gateway, for the server behind it. */
  further: string;
}

/** Alice sends the agent to work and approves what it needs; the gateway takes its token and goes on with it. */
async function startChain(): Promise<Chain> {
  const browser = new TestBrowser();
  const { access_token: root } = await signIn(system, {
    username: 'alice',
    resource: agentResource,
    ...client,
  });
  const asked = await exchangeAsAgent(root);
  const { interaction_uri: url } = asked.body as unknown as Record<string, string>;
  if (url !== undefined) {
    const page = await browser.submit(await browser.open(url), { username: 'alice', password: 'alice' });
    await browser.submit(page, { decision: 'allow' });
  }
  const { body } = url === undefined ? asked : await exchangeAsAgent(root);
  const further = await exchangeAsGateway(body.access_token);
  return { browser, root, delegated: body.access_token, further: further.body.access_token };
}

function exchangeAsGateway(subject: string): Promise<TokenAnswer> {
  const upstream = system.config.gateway.upstreams['whoami'];
  const parameters = {
    grant_type: grantTypes.tokenExchange,
    subject_token: subject,
    subject_token_type: tokenTypes.accessToken,
    resource: upstream?.transport === 'http' ? upstream.url : '',
  };
  return requestToken(system, parameters, gateway);
}

async function isActive(token: string): Promise<unknown> {
  const { clientId, secret } = gateway;
  const answer = await fetch(`${system.issuer}/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
    body: formOf({ token }),
  });
  return ((await answer.json()) as { active: unknown }).active;
}

const call = (token: string) => callTool(system.mcpUrl('whoami'), 'whoami', {}, { token });

const revokeToken = (token: string, parameters: Parameters, headers: Record<string, string> = {}) =>
  fetch(`${system.issuer}/revoke`, { method: 'POST', headers, body: formOf({ token, ...parameters }) });

async function accountForm({ browser }: Chain, action: RegExp): Promise<void> {
  const page = await browser.open(`${system.issuer}/me`);
  const signedIn = page.html.includes('name="password"')
    ? await browser.submit(page, { username: 'alice', password: 'alice' })
    : page;
  const form = [...signedIn.html.matchAll(/<form[\s\S]*?<\/form>/g)].find(([text]) => action.test(text))?.[0];
  await browser.submit({ ...signedIn, html: form ?? '' }, {});
}

const ways: [string, (chain: Chain) => Promise<unknown>][] = [
  [
    'the token that began it',
    ({ root }) =>
      revokeToken(root, {}, { authorization: `Basic ${btoa(`${client.clientId}:${client.secret}`)}` }),
  ],
  [
    'a token in the middle',
    async ({ delegated }) =>
      revokeToken(delegated, {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(),
      }),
  ],
  ['the delegation grant, by the person', (chain) => accountForm(chain, /\/me\/grants\//)],
  [
    'the delegation grant, by an administrator',
    async ({ delegated }) => {
      const [id] = decodeJwt(delegated)['delegations'] as string[];
      return administer('POST', `/grants/${id}/revoke`);
    },
  ],
  ['the consent that began it, by the person', (chain) => accountForm(chain, /value="demo-agent"/)],
  [
    'the agent in mid-chain',
    async () => {
      await administer('POST', '/agents/reporter/suspend');
    },
  ],
];

describe('revocation goes down the whole chain', () => {
  it.each(ways)('by %s: the gateway refuses what was exchanged from it, at once', async (_what, end) => {
    const chain = await startChain();
    const before = await call(chain.delegated);
    expect(before.status).toBe(200);
    // What the server behind the gateway was sent is two exchanges away from what alice gave.
    const seen = JSON.parse(before.body.result.content[0].text) as Record<string, any>;
    expect(seen).toMatchObject({ sub: 'alice', act: { sub: 'demo-gateway', act: { sub: agentId } } });
    expect(await isActive(chain.further)).toBe(true);
    await end(chain);
    expect((await call(chain.delegated)).status).toBe(401);
    expect(await isActive(chain.further)).toBe(false);
    expect((await exchangeAsGateway(chain.delegated)).body.error).toBe('invalid_request');
    await administer('POST', '/agents/reporter/resume');
  });
});
