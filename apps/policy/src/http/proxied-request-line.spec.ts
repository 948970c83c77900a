import { proxiedRequestLine } from './proxied-request-line.js';

const read = (headers: Record<string, string>) =>
  proxiedRequestLine({ rawHeaders: Object.entries(headers).flat() });

describe('proxiedRequestLine', () => {
  it('reads what nginx, Caddy and Traefik send', () => {
    expect(read({ 'X-Original-Method': 'POST', 'X-Original-URI': '/mcp' })).toEqual({
      method: 'POST',
      uris: ['/mcp'],
    });
    expect(read({ 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/mcp?x' })).toEqual({
      method: 'GET',
      uris: ['/mcp?x'],
    });
  });

  it('looks at the URIs of both, which an outer proxy may have rewritten', () => {
    const both = {
      'x-original-method': 'POST',
      'x-original-uri': '/mcp',
      'x-forwarded-uri': '/?access_token=x',
    };
    expect(read(both).uris).toEqual(['/mcp', '/?access_token=x']);
  });

  it.each<[string, Record<string, string>]>([
    ['the client wrote the other header', { 'x-original-method': 'GET', 'x-forwarded-method': 'POST' }],
    ['it was written in another case', { 'x-original-method': 'get', 'x-forwarded-method': 'GET' }],
    ['nobody says the method: the question of nginx is always a GET', { 'x-original-uri': '/mcp' }],
  ])('attack: %s', (_title, headers) => {
    expect(() => read(headers)).toThrow(expect.objectContaining({ why: 'refused' }));
  });
});
