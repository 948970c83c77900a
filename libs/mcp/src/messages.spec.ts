import {
  McpError,
  checkHeaderAgreement,
  checkParamHeaders,
  classifyEra,
  decodeHeaderValue,
  echoableId,
  encodeHeaderValue,
  metaKeys,
  paramHeadersOf,
  parseMessage,
  serializeMessage,
  withMeta,
} from './index.js';
import type { McpRequest } from './index.js';
import fc from 'fast-check';

const codeOf = (work: () => unknown): number | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as McpError).code;
  }
};
const envelope = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };
const request = (params?: McpRequest['params'], method = 'tools/list'): McpRequest => ({
  kind: 'request',
  id: 1,
  method,
  params,
});

describe('parseMessage', () => {
  it.each([
    [{ jsonrpc: '2.0', id: 1, method: 'ping' }, 'request'],
    [{ jsonrpc: '2.0', id: 'a', method: 'ping', params: {} }, 'request'],
    [{ jsonrpc: '2.0', method: 'notifications/x' }, 'notification'],
    [{ jsonrpc: '2.0', id: 1, result: {} }, 'response'],
    [{ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'm' } }, 'response'],
    [{ jsonrpc: '2.0', error: { code: 1, message: 'm' } }, 'response'],
  ])('reads %j as a %s, and writes it back', (body, kind) => {
    const message = parseMessage(body);
    expect(message.kind).toBe(kind);
    expect(parseMessage(serializeMessage(message))).toEqual(message);
  });

  it.each([
    [[]],
    [[{ jsonrpc: '2.0', id: 1, method: 'ping' }]],
    ['text'],
    [null],
    [{ id: 1, method: 'ping' }],
    [{ jsonrpc: '1.0', id: 1, method: 'ping' }],
    [{ jsonrpc: '2.0', id: null, method: 'ping' }],
    [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }],
    [{ jsonrpc: '2.0', id: {}, method: 'ping' }],
    [{ jsonrpc: '2.0', id: 1, method: 7 }],
    [{ jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
    [{ jsonrpc: '2.0', id: 1, method: 'ping', result: {} }],
    [{ jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'm' } }],
    [{ jsonrpc: '2.0', id: 1, error: { code: '1', message: 'm' } }],
    [{ jsonrpc: '2.0', id: 1 }],
  ])('refuses %j', (body) => {
    expect(codeOf(() => parseMessage(body))).toBe(-32600);
  });

  it('echoes an id only for what looks like a request', () => {
    expect(echoableId({ id: 1, method: 'x' })).toBe(1);
    expect(echoableId({ id: 1 })).toBeNull();
    expect(echoableId({ id: {}, method: 'x' })).toBeNull();
  });

  it('replaces _meta without inventing params', () => {
    expect(withMeta(request(), {}).params).toBeUndefined();
    expect(withMeta(request(), { a: 1 }).params).toEqual({ _meta: { a: 1 } });
    expect(withMeta(request({ x: 1, _meta: { a: 1 } }), {}).params).toEqual({ x: 1 });
  });
});

describe('classifyEra', () => {
  const accepted: [string, McpRequest, string | undefined, string, string][] = [
    ['an envelope with its header', request({ _meta: envelope }), '2026-07-28', 'modern', '2026-07-28'],
    ['a handshake', request({}, 'initialize'), undefined, 'legacy', '2025-03-26'],
    ['a legacy header', request(), '2025-06-18', 'legacy', '2025-06-18'],
    ['nothing at all', request(), undefined, 'legacy', '2025-03-26'],
  ];
  it.each(accepted)('%s', (_name, message, header, era, version) => {
    expect(classifyEra(message, header)).toEqual({ era, version });
  });

  it.each([
    ['an envelope without its header', request({ _meta: envelope }), undefined, -32020],
    ['an envelope with a legacy header', request({ _meta: envelope }), '2025-11-25', -32020],
    ['a handshake with a modern header', request({}, 'initialize'), '2026-07-28', -32020],
    ['a modern header without an envelope', request(), '2026-07-28', -32602],
    [
      'an envelope without capabilities',
      request({ _meta: { ...envelope, [metaKeys.clientCapabilities]: undefined } }),
      '2026-07-28',
      -32602,
    ],
    [
      'an envelope whose version is no string',
      request({ _meta: { ...envelope, [metaKeys.protocolVersion]: 1 } }),
      '2026-07-28',
      -32602,
    ],
    [
      'an envelope of a later version',
      request({ _meta: { ...envelope, [metaKeys.protocolVersion]: '2027-01-01' } }),
      '2027-01-01',
      -32022,
    ],
    ['an unknown legacy version', request(), '2025-01-01', -32022],
  ])('refuses %s', (_name, message, header, code) => {
    expect(codeOf(() => classifyEra(message, header))).toBe(code);
  });
});

describe('header agreement', () => {
  const headers = (values: Record<string, string>) => (name: string) => values[name];
  const call = (name: unknown) => request({ name }, 'tools/call');

  it.each([
    [call('a'), { 'mcp-method': 'tools/call', 'mcp-name': 'a' }],
    [call('ä'), { 'mcp-method': 'tools/call', 'mcp-name': encodeHeaderValue('ä') }],
    [request({ uri: 'x://y' }, 'resources/read'), { 'mcp-method': 'resources/read', 'mcp-name': 'x://y' }],
    [request(), { 'mcp-method': 'tools/list' }],
  ])('accepts %j with %j', (message, values) => {
    expect(codeOf(() => checkHeaderAgreement(message, headers(values)))).toBeUndefined();
  });

  it.each([
    [call('a'), { 'mcp-name': 'a' }],
    [call('a'), { 'mcp-method': 'TOOLS/CALL', 'mcp-name': 'a' }],
    [call('a'), { 'mcp-method': 'tools/call' }],
    [call('a'), { 'mcp-method': 'tools/call', 'mcp-name': 'A' }],
    [call('a'), { 'mcp-method': 'tools/call', 'mcp-name': 'a, a' }],
    [call(undefined), { 'mcp-method': 'tools/call', 'mcp-name': 'a' }],
    [request({ taskId: 't' }, 'tasks/get'), { 'mcp-method': 'tasks/get', 'mcp-name': 'u' }],
  ])('refuses %j with %j', (message, values) => {
    expect(codeOf(() => checkHeaderAgreement(message, headers(values)))).toBe(-32020);
  });

  it('a value survives its encoding, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(encodeHeaderValue(value)).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeHeaderValue(encodeHeaderValue(value))).toBe(value);
      }),
    );
  });

  it.each(['=?base64?YQ?=', '=?base64?YR==?=', '=?base64?/w==?=', '=?base64?a-_b?='])(
    'does not decode %s',
    (value) => {
      expect(decodeHeaderValue(value)).toBeUndefined();
    },
  );

  describe('of arguments', () => {
    const schema = {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        limits: { properties: { rows: { type: 'integer', 'x-mcp-header': 'Rows' } } },
        list: { items: { properties: { x: { 'x-mcp-header': 'Unreachable' } } } },
      },
    };
    const declared = paramHeadersOf(schema);

    it('are found through properties only', () => {
      expect(declared).toEqual([
        { path: ['region'], header: 'mcp-param-region' },
        { path: ['limits', 'rows'], header: 'mcp-param-rows' },
      ]);
    });

    it.each([
      [{ region: 'eu' }, { 'mcp-param-region': 'eu' }, undefined],
      [{ region: 'ö' }, { 'mcp-param-region': encodeHeaderValue('ö') }, undefined],
      [{ region: null }, {}, undefined],
      [{ limits: { rows: 42 } }, { 'mcp-param-rows': '42.0' }, undefined],
      [{ region: 'eu' }, {}, -32020],
      [{ region: 'eu' }, { 'mcp-param-region': 'us' }, -32020],
      [{}, { 'mcp-param-region': 'eu' }, -32020],
      [{ limits: { rows: 42 } }, { 'mcp-param-rows': '0x2a' }, -32020],
    ])('%j with %j: %s', (args, values, code) => {
      expect(codeOf(() => checkParamHeaders(declared, args, headers(values as Record<string, string>)))).toBe(
        code,
      );
    });
  });
});
