import { modernRequest } from './clients.js';
import { useRecordedGateway } from './recorded-gateway.fixture.js';
import { answerEverything, respond } from './recording-upstream.js';

describe('sessions of the legacy era', () => {
  const on = useRecordedGateway();

  const legacy = (body: unknown, bearer: string, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${bearer}`,
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25' },
  };
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

  beforeEach(() => {
    on.reply = (seen, response) => {
      if (seen.message['method'] !== 'initialize') return answerEverything(seen, response);
      const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} };
      respond(response, { jsonrpc: '2.0', id: 1, result }, { 'mcp-session-id': 'upstream-session' });
    };
  });

  it('belong to the person and client they were begun by', async () => {
    const begun = await fetch(on.url, legacy(initialize, on.token));
    const session = begun.headers.get('mcp-session-id') ?? '';
    expect(session).toMatch(/^upstream-session\../);

    const mine = await fetch(on.url, legacy(list, on.token, { 'mcp-session-id': session }));
    expect(mine.status).toBe(200);
    expect(on.upstream.seen.at(-1)?.headers['mcp-session-id']).toBe('upstream-session');

    on.upstream.seen.length = 0;
    for (const claims of [{ sub: 'bob' }, { client_id: 'other' }]) {
      const theirs = await on.gateway.tokenFor('tools', claims);
      const response = await fetch(on.url, legacy(list, theirs, { 'mcp-session-id': session }));
      expect([response.status, await response.json()]).toMatchObject([404, { error: { code: -32001 } }]);
    }
    for (const forged of ['upstream-session', `${session}x`, '.', ''].filter(Boolean)) {
      const response = await fetch(on.url, legacy(list, on.token, { 'mcp-session-id': forged }));
      expect(response.status).toBe(404);
    }
    expect(on.upstream.seen).toEqual([]);
  });

  it('do not exist in the modern era', async () => {
    const headers = { 'mcp-session-id': 'anything', 'last-event-id': 'anything' };
    const response = await fetch(on.url, modernRequest('tools/list', {}, { token: on.token, headers }));
    expect(response.status).toBe(200);
    const seen = on.upstream.seen.at(-1)?.headers;
    expect([seen?.['mcp-session-id'], seen?.['last-event-id']]).toEqual([undefined, undefined]);
  });
});
