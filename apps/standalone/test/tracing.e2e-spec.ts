import { attributes, startTracing, type Tracing } from '@behalf/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { freePort } from '@behalf/testing';
import { type IncomingMessage, type Server, createServer, request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../cli/src/run-command.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { callTool } from './mcp-request.fixture.js';
import { requestToken, signIn } from './oauth-client.fixture.js';
import { connectWithToken, textOf } from './token-client.fixture.js';

const exporter = new InMemorySpanExporter();
const traceId = '0af7651916cd43dd8448eb211c80319c';
const argument = 'an-argument-that-nobody-should-see';

let tracing: Tracing;
let system: DemoSystem;
let secrets: string[];
let spans: ReadableSpan[];
/** What the third party was shown and what it gave: codes, tokens, its client's secret. */
const thirdPartySecrets = new Set<string>();
let recorder: Server | undefined;

beforeAll(async () => {
  tracing = startTracing({ serviceName: 'test', spanProcessor: new SimpleSpanProcessor({ exporter }) });
  system = await startDemoSystem({ portOfDrive: recordInFrontOf });
  const { access_token: token, refresh_token: refreshToken } = await signIn(system, {
    username: 'alice',
    resource: system.mcpUrl('whoami'),
  });
  const answer = await callTool(
    system.mcpUrl('whoami'),
    'whoami',
    { note: argument },
    { token, headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } },
  );
  expect(answer.body.result.isError).not.toBe(true);
  const fromThirdParty = [...(await callThirdParty()), ...thirdPartySecrets];
  secrets = [
    token,
    refreshToken ?? '',
    'demo-gateway-secret',
    argument,
    token.split('.')[2] ?? '',
    ...fromThirdParty,
  ];
  spans = exporter.getFinishedSpans();
}, startTimeoutMs);
afterAll(async () => {
  await system?.close();
  await tracing?.stop();
  recorder?.close();
});

/**
 * Forwards a call to the third party, and has a tool ask for its person: each once before they have agreed, and once after.
 *
 * @returns what only the two sides of them may see
 */
async function callThirdParty(): Promise<string[]> {
  const { publicUrl, paths, providers } = system.config.elicitation;
  const forwardUrl = `${publicUrl}${paths.forward}/drive`;
  const { access_token: forwarded } = await signIn(system, {
    username: 'alice',
    resource: forwardUrl,
    clientId: 'demo-client',
  });
  const { host } = new URL(providers[0]?.resources?.[0] ?? '');
  const forward = () =>
    fetch(`${forwardUrl}/${host}/api/files?note=${argument}`, {
      headers: { authorization: `Bearer ${forwarded}` },
    });
  const { interaction_uri: link } = (await (await forward()).json()) as { interaction_uri: string };
  await goThrough(link, 'alice');
  const files = await (await forward()).text();
  expect(files).toContain('@drive');

  const url = system.mcpUrl('drive');
  const { access_token: token } = await signIn(system, { username: 'alice', resource: url });
  const client = await connectWithToken(url, token, async (shown) => void (await goThrough(shown, 'alice')));
  expect(textOf(await client.callTool({ name: 'list_files' }))).toContain('@drive');
  await client.close();
  expect(thirdPartySecrets.size).toBeGreaterThan(3);
  return [forwarded, token, new URL(link).searchParams.get('e') ?? ''];
}

/** Stands where the third party is found, and remembers the secrets that pass. @returns the port that it is to listen on */
async function recordInFrontOf(foundAt: number): Promise<number> {
  const port = await freePort();
  recorder = createServer(async (asked, answer) => {
    const body = await text(asked);
    const passed = request({ port, path: asked.url, method: asked.method, headers: asked.headers }).end(body);
    const [response] = (await once(passed, 'response')) as [IncomingMessage];
    const given = await text(response);
    const [, credential] = (asked.headers.authorization ?? '').split(' ');
    const said = [new URL(asked.url ?? '', 'http://x').search, body, response.headers.location ?? '', given];
    const found = said
      .join(' ')
      .matchAll(/(?:access_token|refresh_token|code|code_verifier|client_secret|state)["=:]+([^"&\s]{12,})/g);
    for (const secret of [credential, ...[...found].map(([, value]) => value)])
      if (secret) thirdPartySecrets.add(decodeURIComponent(secret));
    answer.writeHead(response.statusCode ?? 502, response.headers).end(given);
  }).listen(foundAt, '127.0.0.1');
  await once(recorder, 'listening');
  return port;
}

const inTrace = () => spans.filter((span) => span.spanContext().traceId === traceId);

describe('one call', () => {
  it('is one trace: gateway, policy decision, exchange, upstream', () => {
    const names = inTrace().map(({ name }) => name);
    const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
    expect(names).toContain('tools/call whoami');
    expect([has(/polic|decision|evaluat/i), has(/exchange/i)]).toEqual([true, true]);
    // The gateway's own side of the call upstream is a client span of the same name.
    expect(inTrace().filter(({ name }) => name === 'tools/call whoami').length).toBeGreaterThanOrEqual(2);
  });

  it('hangs together: every span has its parent in the trace, or the parent that the client named', () => {
    const ids = new Set(inTrace().map((span) => span.spanContext().spanId));
    const orphans = inTrace().filter(
      ({ parentSpanContext }) =>
        parentSpanContext &&
        !ids.has(parentSpanContext.spanId) &&
        parentSpanContext.spanId !== 'b7ad6b7169203331',
    );
    expect(orphans.map(({ name }) => name)).toEqual([]);
  });

  it('says who acts for whom, and what was decided, at every decision and at the exchange', () => {
    const named = (pattern: RegExp) => inTrace().filter(({ name }) => pattern.test(name));
    const [call] = named(/^tools\/call whoami$/).filter(({ kind }) => kind === SpanKind.SERVER);
    expect(call?.attributes).toMatchObject({
      [attributes.toolName]: 'whoami',
      [attributes.actorChain]: [],
      [attributes.actorDepth]: 0,
      [attributes.decisionId]: expect.any(String),
      [attributes.grantId]: expect.any(String),
      [attributes.txn]: expect.any(String),
    });
    const decisions = named(/^policy decide/).map((span) => span.attributes[attributes.actorChain]);
    expect(decisions).toEqual([[], ['demo-gateway']]);
    // One side asks, the other side issues; the one that issues knows the chain.
    const exchanges = named(/exchange/).map((span) => span.attributes);
    expect(exchanges).toContainEqual(
      expect.objectContaining({
        [attributes.actorChain]: ['demo-gateway'],
        [attributes.actorDepth]: 1,
        [attributes.txn]: call?.attributes[attributes.txn],
      }),
    );
  });
});

it('what is on record of its decisions carries its trace id, and the id that its span says', async () => {
  const resource = `${system.issuer}${system.config.authorizationServer.paths.admin}`;
  const admin = await requestToken(
    system,
    { grant_type: 'client_credentials', resource, scope: 'admin' },
    { clientId: 'demo-admin', secret: 'demo-admin-secret' },
  );
  const headers = { authorization: `Bearer ${admin.body.access_token}` };
  const { records } = (await (await fetch(`${resource}/audit`, { headers })).json()) as {
    records: Record<string, unknown>[];
  };
  const decided = inTrace().filter(({ name }) => name.startsWith('policy decide'));
  const ids = decided.map((span) => span.attributes[attributes.decisionId]);
  expect(ids).toHaveLength(2);
  for (const id of ids)
    expect(records.filter(({ decisionId, type }) => decisionId === id && type === 'decision')).toEqual([
      expect.objectContaining({ traceId, outcome: 'allowed', person: 'alice' }),
    ]);
});

describe('behalf chain', () => {
  const run = (...args: string[]) =>
    runCommand(['chain', ...args, '--issuer', system.issuer], {
      BEHALF_CLIENT_ID: 'demo-admin',
      BEHALF_CLIENT_SECRET: 'demo-admin-secret',
    });

  it('prints who acted for whom, where, with which scopes, how it was decided and how long it took', async () => {
    const { output, failed } = await run(traceId);
    expect(failed).toBe(false);
    const [person, ...below] = output.split('\n');
    expect(person).toBe('alice');
    expect(below).toEqual([
      expect.stringMatching(/^├─ \+\S+ s {2}decision allowed .*whoami.* by permitted: \S+.* in [\d.]+ ms$/),
      '└─ demo-gateway',
      expect.stringMatching(/^ {3}├─ \+\S+ s {2}decision allowed .* by permitted: \S+/),
      expect.stringMatching(
        /^ {3}└─ \+\S+ s {2}exchange allowed {2}for http\S+ {2}\[\S+.*\] .* in [\d.]+ ms$/,
      ),
    ]);
    for (const secret of secrets.filter(Boolean)) expect(output).not.toContain(secret);
  });

  it('finds the same chain by its txn, and says so when there is none', async () => {
    const { output: json } = await run(traceId, '--json');
    const [{ through }] = JSON.parse(json) as [{ through: { name: string }[] }];
    expect(through).toMatchObject([{ name: 'demo-gateway', through: [] }]);
    const call = inTrace().find((span) => span.attributes[attributes.txn] !== undefined);
    const txn = String(call?.attributes[attributes.txn]);
    expect(JSON.parse((await run(txn, '--json')).output)).toEqual(JSON.parse(json));
    expect(await run('nothing')).toEqual({ output: 'nothing is recorded of it', failed: true });
    await expect(run()).rejects.toMatchObject({ name: 'UsageError' });
  });
});

it('no span holds a token, a secret, an argument or who the person is', () => {
  const names = spans.map(({ name }) => name);
  for (const name of [
    'GET /forward/:provider/*path',
    'GET /callback/:provider',
    'process behalf.elicitation.token.request',
    'tools/call list_files',
  ])
    expect(names).toContain(name);
  const everything = JSON.stringify(
    spans.map(({ name, attributes: set, events, links, status }) => ({ name, set, events, links, status })),
  );
  for (const secret of secrets.filter(Boolean)) expect(everything).not.toContain(secret);
  expect(everything).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}\./);
  // Nobody's name, either: who it was for is in the audit log.
  expect(everything).not.toMatch(/alice/i);
});
