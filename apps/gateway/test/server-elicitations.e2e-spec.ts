import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import {
  type RecordingUpstream,
  type SeenRequest,
  respond,
  startRecordingUpstream,
} from './recording-upstream.js';

const link = 'https://accounts.example/connect?e=1';
const named = 'The server "tools" asks you to open https://accounts.example: Sign in, please.';
const elicitation = { mode: 'url', elicitationId: 'e-1', url: link, message: 'Sign in, please.' };
const required = (elicitations: unknown[] = [elicitation]) => ({
  error: { code: -32042, message: 'first', data: { elicitations } },
});
const done = { result: { content: [{ type: 'text', text: 'done' }] } };
const urls = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } };

type Answer = { result: object } | { error: object };

/** A server of the session era, and one of the stateless era, that answer the next calls as told, then `done`. */
let calls: (Answer | 'push')[] = [];
let legacy: RecordingUpstream;
let modern: RecordingUpstream;
let gateway: TestGateway;

function answerLegacy({ message }: SeenRequest, response: Parameters<typeof respond>[0]): void {
  const { id, method } = message;
  if (id === undefined || method === undefined) return void response.writeHead(202).end();
  if (method === 'server/discover')
    return respond(response, { jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, {}, 400);
  if (method === 'initialize') {
    const serverInfo = { name: 'u', version: '1' };
    const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
    return respond(response, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': 'session-1' });
  }
  const next = calls.shift() ?? done;
  if (next !== 'push') return respond(response, { jsonrpc: '2.0', id, ...next });
  const event = (data: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...data })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(event({ id: 'push-1', method: 'elicitation/create', params: elicitation }));
  response.end(event({ id, result: { isError: true, content: [] } }));
}

function answerModern({ message }: SeenRequest, response: Parameters<typeof respond>[0]): void {
  const { id, method } = message;
  const discovered = { supportedVersions: ['2026-07-28'], capabilities: {}, ttlMs: 0, cacheScope: 'private' };
  const next = method === 'server/discover' ? { result: discovered } : (calls.shift() ?? done);
  const body = next === 'push' ? done : next;
  const result = 'result' in body ? { result: { resultType: 'complete', ...body.result } } : body;
  respond(response, { jsonrpc: '2.0', id, ...result });
}

beforeAll(async () => {
  legacy = await startRecordingUpstream(answerLegacy);
  modern = await startRecordingUpstream(answerModern);
  const upstream = (url: string) => ({ transport: 'http', url, token: { kind: 'none' }, timeoutMs: 5_000 });
  gateway = await startTestGateway({
    upstreams: { tools: upstream(legacy.url), fresh: upstream(modern.url) },
  });
});
afterAll(async () => {
  await gateway.close();
  legacy.close();
  modern.close();
});
beforeEach(() => {
  calls = [];
  legacy.seen.length = 0;
});

/** One call of a client of the stateless era. */
async function call(upstream: string, params: Record<string, unknown> = {}, _meta: object = urls) {
  const token = await gateway.tokenFor(upstream);
  const request = modernRequest('tools/call', { name: 'allowed', _meta, ...params }, { token });
  const response = await fetch(`${gateway.url}/mcp/${upstream}`, request);
  return (await response.json()) as { result: any; error?: { code: number; message: string } };
}
const callsSeen = () => legacy.seen.filter(({ message }) => message['method'] === 'tools/call').length;

describe('-32042 of a server behind, to a client of the stateless era', () => {
  it('becomes input_required, with the same URL and with who asks, and the retry goes on', async () => {
    calls = [required()];
    const { result } = await call('tools');
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    const [[key, input]] = Object.entries(result.inputRequests) as [[string, unknown]];
    expect(input).toEqual({
      method: 'elicitation/create',
      params: { mode: 'url', url: link, message: named },
    });
    const retry = { inputResponses: { [key]: { action: 'accept' } }, requestState: result.requestState };
    // The person has not finished when it is asked again, and has a moment later.
    calls = [required()];
    expect((await call('tools', retry)).result).toMatchObject({ resultType: 'complete', ...done.result });
    expect(callsSeen()).toBe(3);
    const sent = legacy.seen.map(({ message }) => JSON.stringify(message));
    expect(sent.join()).not.toContain('requestState');
  });

  it('shows a link that is another one than before', async () => {
    calls = [required([{ ...elicitation, elicitationId: 'e-2' }])];
    const { result } = await call('tools', { requestState: 'behalf-shown.something-else' });
    expect(Object.keys(result.inputRequests)).toHaveLength(1);
  });

  it('is not asked for again when the person declines', async () => {
    calls = [required()];
    const { result } = await call('tools');
    const [key = ''] = Object.keys(result.inputRequests);
    const { requestState } = result;
    const retried = await call('tools', { requestState, inputResponses: { [key]: { action: 'decline' } } });
    expect(retried.result).toMatchObject({ resultType: 'complete', isError: true });
    expect(callsSeen()).toBe(1);
  });

  it('becomes words for a client that shows no URLs', async () => {
    calls = [required()];
    const { result } = await call('tools', {}, {});
    expect(result).toMatchObject({ resultType: 'complete', isError: true });
    expect(result.content[0].text).toBe(`${named} ${link} Then repeat exactly the same call.`);
  });

  it('comes of a request that the server pushed while it worked on the call', async () => {
    calls = ['push'];
    const { result } = await call('tools');
    expect(Object.values(result.inputRequests)).toMatchObject([{ params: { url: link, message: named } }]);
    const answered = legacy.seen.find(({ message }) => message['id'] === 'push-1');
    expect(answered?.message['result']).toEqual({ action: 'cancel' });
  });
});

describe('a client of the SDK of either line', () => {
  const bearer = async (upstream: string) => ({
    requestInit: { headers: { authorization: `Bearer ${await gateway.tokenFor(upstream)}` } },
  });

  it('of the stateless era opens the link of a server of the era before, and gets its result', async () => {
    const shown: unknown[] = [];
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { url: {} } } },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(params);
      return { action: 'accept' };
    });
    await client.connect(new ModernTransport(new URL(`${gateway.url}/mcp/tools`), await bearer('tools')));
    calls = [required(), required()];
    expect(await client.callTool({ name: 'allowed' })).toMatchObject(done.result);
    expect(shown).toEqual([expect.objectContaining({ mode: 'url', url: link, message: named })]);
    await client.close();
  });

  it('of the session era is given the error and the pushed request as they were, with who asks', async () => {
    const client = new LegacyClient(
      { name: 'test', version: '1' },
      { capabilities: { elicitation: { url: {} } } },
    );
    const shown: unknown[] = [];
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      shown.push(params);
      return { action: 'accept' };
    });
    await client.connect(new LegacyTransport(new URL(`${gateway.url}/mcp/tools`), await bearer('tools')));
    calls = [required()];
    await expect(client.callTool({ name: 'allowed' })).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [{ ...elicitation, message: named }] },
    });
    calls = ['push'];
    await client.callTool({ name: 'allowed' });
    expect(shown).toEqual([expect.objectContaining({ ...elicitation, message: named })]);
    await client.close();
  });
});

describe('input_required of a server of the stateless era', () => {
  const input = (
    params: object = {},
    key = 'sign-in',
    state = 'behalf-sealed-state of a server that asked Behalf',
  ) => ({
    result: {
      resultType: 'input_required',
      inputRequests: {
        [key]: {
          method: 'elicitation/create',
          params: { mode: 'url', url: link, message: 'Sign in.', ...params },
        },
        name: { method: 'elicitation/create', params: { mode: 'form', message: 'Your name?' } },
      },
      requestState: state,
    },
  });

  it('passes with its state and its URL, and with who asks', async () => {
    calls = [input()];
    const { result } = await call('fresh');
    expect(result).toEqual(
      input({ message: 'The server "fresh" asks you to open https://accounts.example: Sign in.' }).result,
    );
  });

  it('shows where a link leads that looks like another, and text that turns around', async () => {
    calls = [input({ url: 'https://xn--bhalf-fsa.example/', message: 'Behalf\u202eneeds you' })];
    const { result } = await call('fresh');
    expect(result.inputRequests['sign-in'].params).toMatchObject({
      url: 'https://xn--bhalf-fsa.example/',
      message: 'The server "fresh" asks you to open https://xn--bhalf-fsa.example: Behalf\\u{202e}needs you',
    });
  });

  it.each<[string, Answer]>([
    ['an input named like ours', input({}, 'behalf/elicitation')],
    ['another one named like ours', input({}, 'behalf/approval')],
    ['a state named like ours', input({}, 'sign-in', 'behalf-elicitation.forged')],
    ['a script', input({ url: 'javascript:alert(1)' })],
    ['a file', input({ url: 'file:///etc/passwd' })],
    ['a link that reads like another', input({ url: 'https://behalf.example@evil.example/' })],
    ['no link', input({ url: undefined })],
  ])('does not pass with %s', async (_what, answer) => {
    calls = [answer];
    expect((await call('fresh')).error).toMatchObject({ code: -32603 });
  });

  it.each<[string, Answer]>([
    ['a script', required([{ ...elicitation, url: 'javascript:alert(1)' }])],
    ['no links', required([])],
    ['too many', required(Array.from({ length: 11 }, () => elicitation))],
    ['a form', required([{ ...elicitation, mode: 'form' }])],
  ])('nor does -32042 with %s', async (_what, answer) => {
    calls = [answer];
    expect((await call('tools')).error).toMatchObject({ code: -32603 });
  });
});
