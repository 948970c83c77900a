import { randomUUID } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import { TestBrowser, freePort } from '@behalf/testing';
import { jest } from '@jest/globals';
import { captureLogs } from './capture-logs.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { callTool, mcpRequest } from './mcp-request.fixture.js';
import { type Tokens, authorizationRequest, redeem, requestToken, signIn } from './oauth-client.fixture.js';
import { browse } from './browse.fixture.js';
import { connectWithToken } from './token-client.fixture.js';

/** What must be in no log, by what it is. */
const secrets = new Map<string, string>();
const plant = (what: string): string => {
  const secret = `planted-${randomUUID()}`;
  secrets.set(what, secret);
  return secret;
};
const keepOut = (what: string, secret: string | null | undefined): void => {
  if (!secret) throw new Error(`there is no ${what}`);
  secrets.set(what, secret);
};

let logged: string[];
let system: DemoSystem;
let odd: Server;
/** What the odd upstream was sent, and says again. */
const heard: string[] = [];

beforeAll(async () => {
  logged = captureLogs();
  const port = await freePort();
  odd = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      heard.push(String(request.headers.authorization));
      // Anything but an answer, with all that came in it.
      const said = `${request.headers.authorization} ${body}`;
      const turn = heard.length % 4;
      if (turn === 0) return void response.destroy(new Error(said));
      response.writeHead(turn === 1 ? 500 : 200, {
        'content-type': turn === 2 ? 'text/event-stream' : 'application/json',
      });
      response.end(turn === 2 ? `data: ${said}\n\n` : said);
    });
  });
  await new Promise<void>((resolve) => void odd.listen(port, '127.0.0.1', resolve));
  system = await startDemoSystem({
    adjust: (file) => {
      file['logLevel'] = 'debug';
      const resource = `http://localhost:${port}/mcp`;
      // Under a name that the demo's policies permit.
      file['gateway'].upstreams.everything = { name: 'Odd', transport: 'http', url: resource };
      file['authorizationServer'].resources.push({ resource, name: 'Odd', scopes: ['mcp:tools'] });
      // A program that says all it hears where nobody asked for it.
      const echoing = 'while IFS= read -r line; do echo "$line" >&2; echo "$line"; done';
      Object.assign(file['gateway'].upstreams.files, {
        command: '/bin/sh',
        args: ['-c', `${echoing} | mcp-server-filesystem .`],
      });
      const { clients } = file['authorizationServer'];
      const gateway = clients.find(({ clientId }: { clientId: string }) => clientId === 'demo-gateway');
      gateway.exchange.audiences.push(resource);
      for (const one of clients)
        // This one's is written down in the program of the demo.
        if (one.clientId === 'demo-drive-server') keepOut(one.demoSecret, one.demoSecret);
        else if (one.demoSecret) one.demoSecret = plant(one.demoSecret);
      keepOut('our secret at the third party', 'behalf-at-drive');
      file['gateway'].demoClientSecret = secrets.get('demo-gateway-secret');
      file['elicitation'].client.demoSecret = secrets.get('behalf-connections-secret');
      file['policy'].approvals.demoSecret = secrets.get('behalf-policy-secret');
    },
  });
}, startTimeoutMs);
afterAll(async () => {
  await system?.close();
  odd?.close();
  jest.restoreAllMocks();
});

const keepTokens = (whose: string, { access_token, refresh_token }: Tokens): string => {
  keepOut(`access token ${whose}`, access_token);
  // Whoever has the signature of a token has what makes it one.
  keepOut(`signature of ${whose}`, access_token.split('.')[2]);
  if (refresh_token) keepOut(`refresh token ${whose}`, refresh_token);
  return access_token;
};
const ofClient = (clientId: string) => ({ clientId, secret: secrets.get(`${clientId}-secret`) ?? '' });
const tokenFor = async (upstream: string): Promise<string> =>
  keepTokens(upstream, await signIn(system, { username: 'alice', resource: system.mcpUrl(upstream) }));
const post = (url: string, body: string | URLSearchParams, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
const json = { 'content-type': 'application/json' };

describe('what is done and refused, with the log at its most talkative', () => {
  it('sign-in: passwords, codes, verifiers, tokens', async () => {
    const resource = system.mcpUrl('files');
    const { url, verifier } = authorizationRequest(system, { resource, scope: 'mcp:tools files:write' });
    const browser = new TestBrowser();
    const page = await browser.open(url);
    await browser.submit(page, { username: 'alice', password: plant('a wrong password') });
    const back = await browse(url, 'alice');
    const code = back.searchParams.get('code');
    keepOut('the code', code);
    keepOut('the verifier', verifier);
    expect((await redeem(system, { code, verifier: plant('a wrong verifier'), resource })).status).toBe(400);
    const { refresh_token: refreshToken } = await signIn(system, { username: 'alice', resource });
    keepOut('the refresh token', refreshToken);
    const refresh = {
      grant_type: 'refresh_token',
      client_id: 'https://client.demo.example/oauth/metadata.json',
      resource,
    };
    const { body } = await requestToken(system, { ...refresh, refresh_token: refreshToken });
    keepTokens('after refreshing', body);
    // Once more is forgiven within a moment.
    await requestToken(system, { ...refresh, refresh_token: refreshToken });
    expect(
      (await requestToken(system, { ...refresh, refresh_token: plant('no refresh token') })).status,
    ).toBe(400);
  });

  it('the token endpoint: secrets of clients, tokens to be exchanged, what cannot be read', async () => {
    const exchange = {
      grant_type: grantTypes.tokenExchange,
      subject_token_type: tokenTypes.accessToken,
      resource: system.mcpUrl('files'),
    };
    const wrong = { clientId: 'demo-gateway', secret: plant('a wrong client secret') };
    const statuses = [
      await requestToken(system, { grant_type: 'client_credentials' }, wrong),
      await requestToken(
        system,
        { ...exchange, subject_token: plant('no subject token') },
        ofClient('demo-gateway'),
      ),
      await requestToken(
        system,
        { ...exchange, subject_token: `eyJhbGciOiJFUzI1NiJ9.${plant('a payload')}.${plant('a signature')}` },
        ofClient('demo-gateway'),
      ),
      await requestToken(
        system,
        {
          ...exchange,
          subject_token: plant('a subject token'),
          actor_token: plant('an actor token'),
          actor_token_type: tokenTypes.accessToken,
        },
        ofClient('demo-agent'),
      ),
      await requestToken(
        system,
        { grant_type: grantTypes.jwtBearer, assertion: plant('an assertion') },
        ofClient('demo-gateway'),
      ),
      await requestToken(system, { grant_type: plant('a grant type') }, ofClient('demo-gateway')),
      await requestToken(system, exchange, ofClient('demo-gateway'), { dpop: plant('a proof') }),
    ].map(({ status }) => status);
    for (const status of statuses) expect([400, 401, 403]).toContain(status);
    const { issuer, config } = system;
    const { paths } = config.authorizationServer;
    for (const path of [paths.token, '/introspect', '/revoke', '/register', '/request'])
      for (const headers of [json, { 'content-type': 'application/x-www-form-urlencoded' }])
        await post(
          `${issuer}${path}`,
          `{"client_secret":"${plant(`a body for ${path} ${headers['content-type']}`)}`,
          headers,
        );
    await fetch(`${issuer}/userinfo?access_token=${plant('a token in a query')}`);
    await fetch(`${issuer}/admin/agents`, {
      headers: { authorization: `Bearer ${plant('a token for administration')}` },
    });
    const { body } = await requestToken(
      system,
      { grant_type: 'client_credentials', resource: `${issuer}/admin` },
      ofClient('demo-admin'),
    );
    const admin = keepTokens('of the administrator', body);
    const made = await post(
      `${issuer}/admin/agents`,
      JSON.stringify({
        slug: 'x',
        name: 'x',
        owner: 'x',
        purpose: 'x',
        jwks: { keys: [{ kty: 'EC', d: plant('a private key') }] },
        ceiling: { audiences: [], scopes: [] },
      }),
      { ...json, authorization: `Bearer ${admin}` },
    );
    expect(made.status).toBe(400);
  });

  it('calls: arguments of those that are allowed, denied and malformed', async () => {
    const [files, whoami] = [await tokenFor('files'), await tokenFor('whoami')];
    const call = (upstream: string, tool: string, args: object, token: string) =>
      callTool(system.mcpUrl(upstream), tool, args as Record<string, unknown>, { token });
    expect((await call('whoami', 'whoami', { note: plant('an argument') }, whoami)).status).toBe(200);
    await call('files', 'read_text_file', { path: plant('an argument of a program') }, files);
    await call(
      'files',
      'write_file',
      { path: 'x', content: plant('an argument that needs more scope') },
      files,
    );
    await call('whoami', 'nothing', { note: plant('an argument of no tool') }, whoami);
    await call('whoami', 'whoami', { note: plant('an argument without a token') }, plant('no token'));
    await mcpRequest(
      system.mcpUrl('files'),
      'resources/read',
      { uri: `file:///${plant('a resource')}` },
      { token: files },
    );
    for (const rawBody of [
      `{"method":"${plant('no JSON')}`,
      `[${JSON.stringify(plant('a list'))}]`,
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: plant('a method'),
        params: { x: plant('a parameter') },
      }),
    ])
      await mcpRequest(system.mcpUrl('whoami'), 'tools/call', { name: 'whoami' }, { token: whoami, rawBody });
    await fetch(`${system.mcpUrl('whoami')}?access_token=${plant('a token in the address')}`);
  });

  it('an upstream that says again what it was sent, in no form that could be read', async () => {
    const token = await tokenFor('everything');
    for (let turn = 0; turn < 8; turn++)
      await callTool(
        system.mcpUrl('everything'),
        'echo',
        { note: plant(`an argument, turn ${turn}`) },
        { token },
      );
    expect(heard.length).toBeGreaterThan(4);
    for (const [n, authorization] of heard.entries())
      keepOut(`exchanged token ${n}`, authorization.split('.')[2]);
  });

  it('policy: what is asked about, in every form', async () => {
    const { publicUrl } = system.config.policy;
    const about = { subject: { type: 'user', id: 'bob' }, action: { name: 'tools/call' } };
    const resource = {
      type: 'tool',
      id: 'write_file',
      properties: { server: 'files', arguments: { note: plant('an argument for a decision') } },
    };
    const ask = (body: string) => post(`${publicUrl}/access/v1/evaluation`, body, json);
    expect((await ask(JSON.stringify({ ...about, resource }))).status).toBe(200);
    await ask(JSON.stringify({ ...about, context: { arguments: plant('an argument in a context') } }));
    await ask(
      JSON.stringify({ ...about, resource: { ...resource, id: 7, note: plant('what is malformed') } }),
    );
    await ask(`{"x": "${plant('no JSON for a decision')}`);
    await post(
      `${publicUrl}/access/v1/evaluations`,
      JSON.stringify({ evaluations: [{ x: plant('a part of a batch') }] }),
      json,
    );
    await fetch(`${publicUrl}/policies`, {
      headers: { authorization: `Bearer ${plant('a token for policies')}` },
    });
  });

  it('third parties: their tokens, codes and the state of a request', async () => {
    const resource = system.mcpUrl('drive');
    const token = await tokenFor('drive');
    const client = await connectWithToken(
      resource,
      token,
      async (link) => void (await goThrough(link, 'alice')),
    );
    await client.callTool({ name: 'list_files' });
    await client.close();
    const upstream = system.config.gateway.upstreams['drive'];
    const [provider] = system.config.elicitation.providers;
    if (upstream?.transport !== 'http') throw new Error('there is no drive');
    const exchange = { grant_type: grantTypes.tokenExchange, subject_token_type: tokenTypes.accessToken };
    const { body: first } = await requestToken(
      system,
      { ...exchange, subject_token: token, resource: upstream.url },
      ofClient('demo-gateway'),
    );
    const subjectToken = keepTokens('for the server of drive', first);
    const { body: lent } = await requestToken(
      system,
      { ...exchange, subject_token: subjectToken, resource: provider?.resources?.[0] },
      ofClient('demo-drive-server'),
    );
    keepOut('the token of the third party', lent.access_token);
    const { publicUrl, paths } = system.config.elicitation;
    await fetch(
      `${publicUrl}${paths.callback}/drive?code=${plant('a code of a third party')}&state=${plant('a state')}`,
    );
    await fetch(`${publicUrl}${paths.connect}?e=${plant('no elicitation')}`);
    await fetch(`${publicUrl}${paths.forward}/drive/localhost/api`, {
      headers: { authorization: `Bearer ${plant('a token to forward with')}` },
    });
  });
});

it('no line of any log has one of them', () => {
  const everything = logged.join('');
  expect(everything).toContain('Secure MCP Filesystem Server');
  // The log works, and has seen what was refused and what failed.
  expect(everything).toContain('"level":20');
  expect(everything).toContain('"level":50');
  const found = [...secrets].filter(([, secret]) => everything.includes(secret));
  const lines = everything.split('\n').filter((line) => found.some(([, secret]) => line.includes(secret)));
  expect({ found: found.map(([what]) => what), lines }).toEqual({ found: [], lines: [] });
  expect(everything).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\./);
  expect(secrets.size).toBeGreaterThan(60);
});
