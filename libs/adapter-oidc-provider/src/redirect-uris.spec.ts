import { isLoopbackRedirect, isRegisteredRedirect, redirectUriFault } from './redirect-uris.js';

describe('redirect URIs', () => {
  it.each([
    ['http://localhost:1/callback', 'http://localhost/callback'],
    ['http://localhost/callback', 'http://localhost:1/callback'],
    ['http://127.0.0.1:65535/', 'http://127.0.0.1/'],
    ['http://[::1]:8080/a?b=c', 'http://[::1]/a?b=c'],
    ['https://client.example.com/callback', 'https://client.example.com/callback'],
  ])('RFC 8252 §7.3: %s is registered by %s', (presented, registered) => {
    expect(isRegisteredRedirect(presented, [registered])).toBe(true);
  });

  it.each([
    ['http://localhost:1/other', 'http://localhost/callback'],
    ['http://localhost:1/callback?x', 'http://localhost/callback'],
    ['http://127.0.0.1/callback', 'http://localhost/callback'],
    ['https://localhost:1/callback', 'http://localhost/callback'],
    ['https://client.example.com:8443/callback', 'https://client.example.com/callback'],
    ['http://localhost:1@evil.example.com/callback', 'http://localhost/callback'],
    ['http://evil@localhost:1/callback', 'http://localhost/callback'],
    ['http://localhost\\@evil.example.com/callback', 'http://localhost/callback'],
    ['http://localhost.evil.example.com/callback', 'http://localhost/callback'],
    ['http://localhost:1/callback', 'http://localhost:2/callback/'],
    ['http://0x7f.1/callback', 'http://127.0.0.1/callback'],
    ['', 'http://localhost/'],
  ])('%s is not registered by %s', (presented, registered) => {
    expect(isRegisteredRedirect(presented, [registered])).toBe(false);
  });

  it.each(['https://a.example/cb', 'http://localhost', 'http://127.0.0.1:1/x', 'http://[::1]/'])(
    'mcp.md 23: %s can be registered',
    (uri) => {
      expect(redirectUriFault(uri)).toBeUndefined();
    },
  );

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://a.example/cb',
    'http://127.0.0.2.example/cb',
    'https://a.example/#x',
    'https://a.example/#',
    'https://u:p@a.example/',
    'app.example:/cb',
    '/relative',
  ])('mcp.md 23: %s cannot', (uri) => {
    expect(redirectUriFault(uri)).toEqual(expect.any(String));
  });

  it('knows loopback by host, not by prefix', () => {
    expect(isLoopbackRedirect('http://localhost:9/x')).toBe(true);
    expect(isLoopbackRedirect('http://localhost.example/x')).toBe(false);
    expect(isLoopbackRedirect('https://localhost/x')).toBe(false);
  });
});
