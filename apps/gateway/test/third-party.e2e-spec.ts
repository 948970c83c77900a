import { Client as ModernClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  ElicitationCompleteNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { MemoryOneTimeStore } from '@behalf/adapter-memory';
import { systemClock } from '@behalf/ports';
import { modernRequest } from './clients.js';
import type { FakeIssuer } from './fake-issuer.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import {
  type RecordingUpstream,
  type SeenRequest,
  respond,
  startRecordingUpstream,
} from './recording-upstream.js';

const link = 'https://connect.example/connect?e=e-1';
const pending = {
  status: 400,
  body: {
    error: 'interaction_required',
    interaction_uri: link,
    interaction_message: 'Files needs your Drive account.',
    elicitation_id: 'e-1',
    request_state: 'sealed-state',
    expires_in: 900,
    interval: 1,
  },
};
const granted = {
  status: 200,
  body: { access_token: 'drive-token', token_type: 'Bearer', scope: 'files.read' },
};

let upstream: RecordingUpstream;
let gateway: TestGateway;
let url: string;
/** What the person has done so far. */
let isConnected: boolean;
/** Lets the person finish as soon as somebody waits for them. */
let finishesWhenAwaited: boolean;
let asked: Record<string, string>[];

/** A server of either era that answers every call, and knows nothing of third parties. */
function answerBothEras({ message, headers }: SeenRequest, response: Parameters<typeof respond>[0]): void {
  const { id, method } = message;
  if (id === undefined) return void response.writeHead(202).end();
  if (method === 'initialize')
    return respond(
      response,
      {
        jsonrpc: '2.0',
        id,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'u', version: '1' },
        },
      },
      { 'mcp-session-id': 'session-1' },
    );
  const isModern = headers['mcp-protocol-version'] === '2026-07-28';
  const result =
    method === 'server/discover'
      ? { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' }
      : method === 'tools/list'
        ? {
            tools: [{ name: 'list', inputSchema: { type: 'object' } }],
            ...(isModern && { ttlMs: 0, cacheScope: 'private' }),
          }
        : { content: [{ type: 'text', text: 'done' }] };
  respond(response, {
    jsonrpc: '2.0',
    id,
    result: { ...(isModern && { resultType: 'complete' }), ...result },
  });
}

const oneTime = new MemoryOneTimeStore(systemClock);
/** A gateway like the others, which share what is short-lived. */
const startOne = (issuer?: FakeIssuer): Promise<TestGateway> =>
  startTestGateway({
    ...(issuer && { issuer }),
    oneTime,
    upstreams: {
      drive: {
        transport: 'http',
        url: upstream.url,
        token: { kind: 'exchange' },
        thirdParty: {
          resource: 'https://api.drive.example',
          scopes: ['files.read'],
          header: 'x-drive-token',
          prefix: '',
        },
      },
    },
  });

beforeAll(async () => {
  upstream = await startRecordingUpstream(answerBothEras);
  gateway = await startOne();
  url = `${gateway.url}/mcp/drive`;
  gateway.issuer.answerThirdParty((form) => {
    if (form['resource'] !== 'https://api.drive.example') return undefined;
    asked.push(form);
    if (form['request_state'] === 'forged') return { status: 400, body: { error: 'invalid_request' } };
    if (form['wait'] !== '0' && finishesWhenAwaited) isConnected = true;
    return isConnected ? granted : pending;
  });
});
afterAll(async () => {
  await gateway.close();
  upstream.close();
});
beforeEach(() => {
  isConnected = false;
  finishesWhenAwaited = false;
  asked = [];
  upstream.seen.length = 0;
});

const call = { name: 'list', arguments: { folder: 'inbox' } };
const urlCapability = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } };
const post = async (params: object, token?: string): Promise<any> => {
  const request = modernRequest(
    'tools/call',
    { ...call, ...params },
    { token: token ?? (await gateway.tokenFor('drive')) },
  );
  return (await fetch(url, request)).json();
};
const calls = () => upstream.seen.filter(({ message }) => message['method'] === 'tools/call');

describe('a client of the stateless era', () => {
  it('is shown the link once, waits with its state, and the call goes on with the token in its header', async () => {
    const shown: unknown[] = [];
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { url: {} } } },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(params);
      finishesWhenAwaited = true;
      return { action: 'accept' };
    });
    const headers = { Authorization: `Bearer ${await gateway.tokenFor('drive')}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    const result = await client.callTool(call);
    await client.close();
    expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
    expect(shown).toEqual([{ mode: 'url', url: link, message: 'Files needs your Drive account.' }]);
    const [seen] = calls();
    expect(seen?.headers['x-drive-token']).toBe('drive-token');
    expect(seen?.message['params']).not.toHaveProperty('requestState');
    expect(seen?.message['params']).not.toHaveProperty('inputResponses');
    expect(asked.map((form) => [form['request_name'], form['request_state'], form['wait']])).toEqual([
      ['drive/list', undefined, '0'],
      ['drive/list', 'sealed-state', '15'],
    ]);
    expect(asked[0]?.['request_digest']).toBe(asked[1]?.['request_digest']);
  });

  it('is asked to come back while the person is at it, and not shown the link again', async () => {
    const first = await post({ _meta: urlCapability });
    expect(first.result).toMatchObject({
      resultType: 'input_required',
      requestState: 'behalf-elicitation.sealed-state',
    });
    const inputResponses = { 'behalf/elicitation': { action: 'accept' } };
    const { requestState } = first.result;
    const again = await post({ _meta: urlCapability, inputResponses, requestState });
    expect(again.result).toEqual({ resultType: 'input_required', requestState });
    expect(calls()).toEqual([]);
  });

  it('gets the link in words when it cannot show one', async () => {
    const { result } = await post({});
    expect(result).toMatchObject({
      resultType: 'complete',
      isError: true,
      _meta: { 'behalf/elicitation': { url: link } },
    });
    expect(result.content[0].text).toContain(link);
  });

  it('is told no more when the person does not open it', async () => {
    const inputResponses = { 'behalf/elicitation': { action: 'decline' } };
    const { result } = await post({ _meta: urlCapability, inputResponses });
    expect(result.isError).toBe(true);
    expect([asked, calls()]).toEqual([[], []]);
  });

  it('is refused with a state that is not good', async () => {
    const { error } = await post({ _meta: urlCapability, requestState: 'behalf-elicitation.forged' });
    expect(error.code).toBe(-32602);
    expect(calls()).toEqual([]);
  });

  it('keeps the state and the inputs of the server behind', async () => {
    isConnected = true;
    const params = {
      requestState: 'state of the server',
      inputResponses: { theirs: { action: 'accept' }, 'behalf/elicitation': { action: 'accept' } },
    };
    await post(params);
    expect(calls()[0]?.message['params']).toMatchObject({
      requestState: 'state of the server',
      inputResponses: { theirs: { action: 'accept' } },
    });
    expect(asked[0]).not.toHaveProperty('request_state');
  });

  it('lists tools without the person, and cannot bring a token of its own', async () => {
    const token = await gateway.tokenFor('drive');
    const list = modernRequest('tools/list', {}, { token, headers: { 'x-drive-token': 'mine' } });
    expect((await fetch(url, list)).status).toBe(200);
    expect(asked).toEqual([]);
    for (const { headers } of upstream.seen) expect(headers['x-drive-token']).toBeUndefined();
  });
});

describe('a client of the session era', () => {
  const connect = async (onElicit?: (params: unknown) => 'accept' | 'decline') => {
    const client = new LegacyClient(
      { name: 'test', version: '1' },
      { capabilities: onElicit ? { elicitation: { url: {} } } : {} },
    );
    if (onElicit)
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ action: onElicit(params) }));
    const headers = { Authorization: `Bearer ${await gateway.tokenFor('drive')}` };
    await client.connect(new LegacyTransport(new URL(url), { requestInit: { headers } }));
    return client;
  };
  const elicitation = {
    mode: 'url',
    elicitationId: 'e-1',
    url: link,
    message: 'Files needs your Drive account.',
  };

  it('is asked on the stream of its request, told when it is done, and gets its result there', async () => {
    const shown: unknown[] = [];
    const client = await connect((params) => {
      shown.push(params);
      finishesWhenAwaited = true;
      return 'accept';
    });
    const complete = new Promise((resolve) =>
      client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => resolve(params)),
    );
    const result = await client.callTool(call);
    expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
    expect(shown).toEqual([elicitation]);
    expect(await complete).toEqual({ elicitationId: 'e-1' });
    expect(calls()[0]?.headers['x-drive-token']).toBe('drive-token');
    await client.close();
  });

  it('may give its answer to another gateway than the one that asked', async () => {
    const second = await startOne(gateway.issuer);
    const answers: unknown[] = [];
    const client = new LegacyClient(
      { name: 'test', version: '1' },
      { capabilities: { elicitation: { url: {} } } },
    );
    client.setRequestHandler(ElicitRequestSchema, async () => {
      finishesWhenAwaited = true;
      return { action: 'accept' };
    });
    const headers = { Authorization: `Bearer ${await gateway.tokenFor('drive')}` };
    const fetchFromEither: typeof fetch = async (_url, init) => {
      const isAnswer = typeof init?.body === 'string' && 'result' in JSON.parse(init.body);
      const response = await fetch(isAnswer ? `${second.url}/mcp/drive` : url, init);
      if (isAnswer) answers.push(response.status);
      return response;
    };
    const options = { requestInit: { headers }, fetch: fetchFromEither };
    await client.connect(new LegacyTransport(new URL(url), options));
    try {
      expect((await client.callTool(call)).content).toEqual([{ type: 'text', text: 'done' }]);
      expect(answers).toEqual([202]);
      // It was ours, so the server behind never saw it.
      expect(upstream.seen.filter(({ message }) => 'result' in message)).toEqual([]);
    } finally {
      await client.close();
      await second.close();
    }
  });

  it('gets the error -32042 when the person needs longer', async () => {
    const client = await connect(() => 'accept');
    await expect(client.callTool(call)).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [elicitation] },
    });
    isConnected = true;
    expect((await client.callTool(call)).content).toEqual([{ type: 'text', text: 'done' }]);
    await client.close();
  });

  it('is told no more when the person declines', async () => {
    const client = await connect(() => 'decline');
    expect(await client.callTool(call)).toMatchObject({ isError: true });
    expect(calls()).toEqual([]);
    await client.close();
  });

  it('gets the link in words when it did not say that it can show one', async () => {
    const client = await connect();
    const result = await client.callTool(call);
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(link) }] });
    await client.close();
  });
});

it('tells an outage from a refusal', async () => {
  gateway.issuer.refuseExchanges({ status: 503, error: 'temporarily_unavailable' });
  const request = modernRequest('tools/call', call, { token: await gateway.tokenFor('drive') });
  expect((await fetch(url, request)).status).toBe(503);
  gateway.issuer.refuseExchanges({ status: 400, error: 'invalid_target' });
  expect((await fetch(url, request)).status).toBe(403);
  gateway.issuer.refuseExchanges(undefined);
});
