import { elicitedParameterNames, parseElicitedRequest } from './parse-elicited-request.js';
import type { ExchangeParameters } from './ports.js';

const digest = 'd'.repeat(43);

describe('what a client adds for a person who may have to be asked', () => {
  it('is nothing, where it adds nothing', () => {
    expect(parseElicitedRequest({})).toStrictEqual({ waitSeconds: 0 });
    expect(elicitedParameterNames).toEqual([
      'request_method',
      'request_name',
      'request_digest',
      'request_state',
      'wait',
    ]);
  });

  it('is the request, the state of an attempt before, and a wait', () => {
    const parameters = {
      request_method: 'tools/call',
      request_name: 'list',
      request_digest: digest,
      request_state: 's'.repeat(4096),
      wait: '7',
    };
    expect(parseElicitedRequest(parameters)).toStrictEqual({
      request: { method: 'tools/call', name: 'list', digest },
      requestState: 's'.repeat(4096),
      waitSeconds: 7,
    });
  });

  it.each([
    ['0', 0],
    ['25', 25],
    ['26', 25],
    ['9999', 25],
  ])('waits %s seconds, and 25 at most', (wait, seconds) => {
    expect(parseElicitedRequest({ wait }).waitSeconds).toBe(seconds);
  });

  it.each<[string, ExchangeParameters]>([
    ['request_digest', { request_method: 'tools/call' }],
    ['request_digest', { request_digest: digest }],
    ['request_digest', { request_method: ['a', 'b'], request_digest: digest }],
    ['request_state', { request_state: ['a', 'b'] }],
    ['request_state', { request_state: 's'.repeat(4097) }],
    ['wait', { wait: ['1', '2'] }],
    ['wait', { wait: ['5'] }],
    ['wait', { wait: '' }],
    ['wait', { wait: '-1' }],
    ['wait', { wait: '1s' }],
    ['wait', { wait: '1.5' }],
    ['wait', { wait: '00001' }],
  ])('is refused for its %s: %j', (parameter, parameters) => {
    expect(() => parseElicitedRequest(parameters)).toThrow(
      expect.objectContaining({ reason: { kind: 'parameter_malformed', parameter } }),
    );
  });
});
