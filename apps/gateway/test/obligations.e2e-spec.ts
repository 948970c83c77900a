import { type Evaluation, type EvaluationDecision, type Obligation, requestAccess } from '@behalf/contracts';
import { toolDefinitionHash } from '@behalf/policy';
import { modernRequest } from './clients.js';
import { type TestGateway, publicUrl, startTestGateway } from './gateway-fixture.js';
import {
  type RecordingUpstream,
  answerEverything,
  respond,
  startRecordingUpstream,
} from './recording-upstream.js';

const permitted = (...obligations: object[]): EvaluationDecision => ({
  decision: true,
  context: { id: 'd', reason: 'permitted', obligations: obligations as Obligation[] },
});
const denied = (context: object): EvaluationDecision => ({
  decision: false,
  context: { id: 'd', ...context },
});
const redact = { id: 'redact', type: 'redact', properties: { fields: ['email'] } };
const call = { name: 'people', arguments: {} };
const secret = 'ada@example.com';
const person = { name: 'Ada', email: secret };
const result = {
  resultType: 'complete',
  content: [
    { type: 'text', text: JSON.stringify({ people: [person] }) },
    { type: 'text', text: `Write to ${secret}` },
  ],
  structuredContent: { people: [person] },
};
const tool = {
  name: 'people',
  inputSchema: { type: 'object', properties: { team: { type: 'string' } } },
  annotations: { readOnlyHint: true },
};

let upstream: RecordingUpstream;
let gateway: TestGateway;
let reply = answerEverything;
let decide: (evaluation: Evaluation) => EvaluationDecision;
let asked: Evaluation[] = [];
let token: string;
let url: string;

beforeAll(async () => {
  upstream = await startRecordingUpstream((seen, response) => reply(seen, response));
  gateway = await startTestGateway({
    replicas: 1,
    upstreams: {
      people: { transport: 'http', url: upstream.url, token: { kind: 'none' }, timeoutMs: 5_000 },
      program: { transport: 'stdio', command: 'node', args: ['apps/gateway/test/stdio-server.mjs'] },
    },
    policy: { personAttributes: { department: 'department' } },
    decide: (evaluation) => {
      asked.push(evaluation);
      return decide(evaluation);
    },
  });
  url = `${gateway.url}/mcp/people`;
  token = await gateway.tokenFor('people', { department: 'sales', phone: '1' });
  decide = () => permitted();
  await fetch(url, modernRequest('server/discover', {}, { token }));
});
beforeEach(() => {
  reply = answerEverything;
  decide = () => permitted();
  asked = [];
  upstream.seen.length = 0;
});
afterAll(async () => {
  await gateway.close();
  upstream.close();
});

const ask = async (method = 'tools/call', params: Record<string, unknown> = call) => {
  const response = await fetch(url, modernRequest(method, params, { token }));
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const legacyCall = () => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    authorization: `Bearer ${token}`,
  };
  return fetch(url, { method: 'POST', headers, body });
};

describe('fields that must not leave', () => {
  beforeEach(() => {
    decide = () => permitted(redact);
  });

  it('are taken out of JSON, and words that may hold them are withheld, in both eras', async () => {
    reply = (_seen, response) => respond(response, { jsonrpc: '2.0', id: 1, result });
    for (const text of [(await ask()).text, await (await legacyCall()).text()]) {
      expect(text).toContain('Ada');
      expect(text).not.toContain(secret);
    }
  });

  it.each([
    ['beside the result', { result, error: { code: 1, message: secret }, extra: secret }],
    ['in an error', { error: { code: -32602, message: secret, data: { email: secret } } }],
    ['in a task, whose result is fetched later', { result: { resultType: 'task', taskId: secret } }],
  ])('are not told %s', async (_where, answer) => {
    for (const status of [200, 400]) {
      reply = (_seen, response) => respond(response, { jsonrpc: '2.0', id: 1, ...answer }, {}, status);
      const { text } = await ask();
      expect(JSON.parse(text).id).toBe(1);
      expect(text).not.toContain(secret);
    }
  });

  it('are not in event streams: neither in progress nor in logs, and no id lets anybody fetch them again', async () => {
    reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = (id: number, message: object) =>
        response.write(
          `id: ${id}\nx-note: ${secret}\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`,
        );
      response.write(`: ${secret}\n\nid: 0\ndata:\n\n`);
      event(1, {
        method: 'notifications/progress',
        params: { progressToken: 7, progress: 1, message: secret },
      });
      event(2, { method: 'notifications/message', params: { level: 'info', data: person } });
      event(3, { id: 1, result });
      response.end();
    };
    for (const text of [(await ask()).text, await (await legacyCall()).text()]) {
      expect(text).toContain('Ada');
      expect(text).toContain('"progressToken":7');
      expect(text).not.toContain(secret);
      expect(text).not.toMatch(/^id:/m);
    }
  });

  it('are not in what a program says', async () => {
    const programToken = await gateway.tokenFor('program');
    const params = { name: 'progress', arguments: { say: secret }, _meta: { progressToken: 'p' } };
    const response = await fetch(
      `${gateway.url}/mcp/program`,
      modernRequest('tools/call', params, { token: programToken }),
    );
    const text = await response.text();
    expect(text).toContain('"progressToken":"p"');
    expect(text).not.toContain(secret);
    expect(text).toContain('[redacted]');
  });

  it('do not let lists show what is hidden', async () => {
    decide = ({ resource }) =>
      resource.id.startsWith('forbidden')
        ? denied({ reason: 'forbidden' })
        : permitted({ ...redact, properties: { fields: ['name'] } });
    const { text } = await ask('tools/list', {});
    expect(text).not.toContain('forbidden-tool');
    expect(JSON.parse(text).result.tools).toHaveLength(1);
  });
});

describe('a permission with a duty that cannot be done is a denial', () => {
  it.each<[string, object[], string, Record<string, unknown>]>([
    ['an approval after the fact', [{ id: 'a', type: 'approval', properties: {} }], 'tools/call', call],
    ['a redaction of nothing', [{ ...redact, properties: {} }], 'tools/call', call],
    ['one known and one unknown', [redact, { id: 's', type: 'step-up', properties: {} }], 'tools/call', call],
    ['a redaction of a task', [redact], 'tools/call', { ...call, task: {} }],
    ['a redaction of what comes later', [redact], 'subscriptions/listen', { notifications: {} }],
  ])('%s', async (_what, obligations, method, params) => {
    decide = () => permitted(...obligations);
    const { text } = await ask(method, params);
    expect(text).toContain('Denied');
    expect(upstream.seen).toEqual([]);
  });

  it('and so is the answer to a question that was only a preview', async () => {
    decide = () => ({ decision: true, context: { id: 'd', preview: true } });
    expect((await ask()).text).toContain('Denied');
    expect(upstream.seen).toEqual([]);
  });
});

describe('a denial that something can be done about', () => {
  it('asks for the scopes that are missing, and for those that are held', async () => {
    decide = () => denied({ reason: 'insufficient_scope', scope: 'people:read' });
    const { status, headers } = await ask();
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
    expect(headers.get('www-authenticate')).toMatch(/scope="(mcp:tools people:read|people:read mcp:tools)"/);
    expect(upstream.seen).toEqual([]);
  });

  it('says that a budget is spent', async () => {
    decide = () => denied({ reason: 'budget_exceeded' });
    expect(JSON.parse((await ask()).text).result).toMatchObject({ isError: true });
    expect((await ask()).text).toMatch(/[Rr]etry/);
    expect(upstream.seen).toEqual([]);
  });

  it('is refused when nobody takes the request for approval, and nothing is done', async () => {
    decide = () => denied({ reason: 'approval_required', access_request: { binding_token: 'b' } });
    expect((await ask()).status).toBe(503);
    expect(upstream.seen).toEqual([]);
  });

  it.each([
    ['the second decision still wants one', denied({ reason: 'approval_required' }), 2],
    ['the second decision forbids', denied({ reason: 'forbidden' }), 2],
  ])('is no permission by having been approved: %s', async (_why, second, decisions) => {
    const first = denied({ reason: 'approval_required', access_request: { binding_token: 'b' } });
    decide = ({ context }) => (context?.['approval'] === undefined ? first : second);
    const task = { id: 't', status: 'approved' as const, status_endpoint: '', expires_at: '' };
    const subscription = gateway.bus.handle(requestAccess, async () => ({ task }));
    const { text } = await ask();
    await subscription.drain();
    expect(text).toContain('Denied');
    expect(asked).toHaveLength(decisions);
    expect(upstream.seen).toEqual([]);
  });

  it('does not take an approval from the caller', async () => {
    await ask('tools/call', { ...call, approval: { id: 't' }, _meta: { 'behalf/approval': { id: 't' } } });
    expect(asked[0]?.context).not.toHaveProperty('approval');
  });

  it('keeps the answer to its own question from the server, and only that', async () => {
    const inputResponses = { 'behalf/approval': { action: 'accept' }, theirs: { action: 'accept' } };
    await ask('tools/call', { ...call, inputResponses });
    expect(upstream.seen[0]?.message['params'].inputResponses).toEqual({ theirs: { action: 'accept' } });
  });
});

describe('what the policy is told', () => {
  it('is what the tool looked like when it was listed, and not what a caller says', async () => {
    reply = (seen, response) =>
      seen.message['method'] === 'tools/list'
        ? respond(response, { jsonrpc: '2.0', id: 1, result: { resultType: 'complete', tools: [tool] } })
        : answerEverything(seen, response);
    await ask('tools/list', {});
    const definition_hash = toolDefinitionHash(tool);
    const annotations = { readOnlyHint: true };
    expect(asked.at(-1)?.resource.properties).toEqual({ server: 'people', definition_hash, annotations });
    await ask();
    expect(asked.at(-1)?.resource.properties).toEqual({
      server: 'people',
      definition_hash,
      annotations,
      input_schema: tool.inputSchema,
    });
  });

  it('is what a program says of its tools, listed or not', async () => {
    const programToken = await gateway.tokenFor('program');
    const params = { name: 'meta', arguments: {} };
    await fetch(`${gateway.url}/mcp/program`, modernRequest('tools/call', params, { token: programToken }));
    expect(asked.at(-1)?.resource.properties?.['definition_hash']).toBe(
      toolDefinitionHash({ name: 'meta', inputSchema: { type: 'object' } }),
    );
  });

  it('is waited for while a program starts: what is approved is what is called', async () => {
    const seen: Evaluation[] = [];
    const late = "setTimeout(() => import('./apps/gateway/test/stdio-server.mjs'), 500)";
    const starting = await startTestGateway({
      replicas: 1,
      upstreams: { late: { transport: 'stdio', command: process.execPath, args: ['-e', late] } },
      decide: (evaluation) => {
        seen.push(evaluation);
        return { decision: true };
      },
    });
    const params = { name: 'meta', arguments: {} };
    const request = modernRequest('tools/call', params, { token: await starting.tokenFor('late') });
    expect((await fetch(`${starting.url}/mcp/late`, request)).status).toBe(200);
    expect(seen[0]?.resource.properties?.['definition_hash']).toBeDefined();
    await starting.close();
  });

  it('is what a program made of its tools when it says that they changed', async () => {
    const programToken = await gateway.tokenFor('program');
    const program = async (name: string) => {
      const params = { name, arguments: {} };
      await fetch(`${gateway.url}/mcp/program`, modernRequest('tools/call', params, { token: programToken }));
      return asked.at(-1)?.resource.properties?.['definition_hash'];
    };
    const before = await program('change');
    // Unknown until the new list is in; never again what it was.
    let after = await program('meta');
    while (after === undefined) after = await program('meta');
    const inputSchema = { type: 'object' };
    expect(before).toBe(toolDefinitionHash({ name: 'change', inputSchema }));
    expect(after).toBe(toolDefinitionHash({ name: 'meta', description: 'changed', inputSchema }));
  });

  it('are the claims that the configuration maps, and no others', async () => {
    await ask();
    expect(asked[0]?.subject.properties?.['claims']).toEqual({ department: 'sales' });
  });

  it('is where the connection comes from, whatever headers say', async () => {
    const headers = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' };
    await fetch(url, modernRequest('tools/call', call, { token, headers }));
    expect(asked[0]?.context?.['origin']).toEqual({ ip: '127.0.0.1' });
    expect(asked[0]?.context?.['aud']).toBe(`${publicUrl}/mcp/people`);
  });
});
