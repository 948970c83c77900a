import fc from 'fast-check';
import { findForwardRule } from './find-forward-rule.js';
import { forwardedRequestHeaders, forwardedResponseHeaders } from './forward-headers.js';
import { forwardedLocation } from './forward-location.js';
import { ForwardRefused } from './forward-refused.js';
import type { Forwarding } from './forwarding.js';
import { encodePath, parseForwardTarget } from './parse-forward-target.js';

const forwarding: Forwarding = {
  rules: [
    {
      origin: 'https://api.acme.example',
      methods: ['GET', 'HEAD'],
      paths: ['/user', '/repos/*/*/issues', '/search/**'],
      scopes: ['read'],
    },
    { origin: 'https://api.acme.example:8443', methods: ['POST'], paths: ['/files/'], scopes: [] },
  ],
  requestHeaders: ['acme-version'],
  responseHeaders: ['acme-request-id'],
  maxRequestBytes: 1,
  maxResponseBytes: 1,
  timeoutMs: 1,
};
const outcomeOf = (method: string, target: string): string => {
  try {
    return findForwardRule(forwarding, method, parseForwardTarget(target)).pattern;
  } catch (error) {
    if (error instanceof ForwardRefused) return error.reason;
    throw error;
  }
};

describe('what is forwarded', () => {
  it.each([
    ['GET', 'api.acme.example/user', '/user'],
    ['HEAD', 'api.acme.example/user?a=1&b=%2F%2e%2e', '/user'],
    ['GET', 'api.acme.example/repos/a%20b/c/issues', '/repos/*/*/issues'],
    ['GET', 'api.acme.example/search/code/all', '/search/**'],
    ['POST', 'api.acme.example:8443/files/', '/files/'],
  ])('%s %s', (method, target, pattern) => {
    expect(outcomeOf(method, target)).toBe(pattern);
  });

  it.each([
    ['another method', 'DELETE', 'api.acme.example/user'],
    ['another method than this host has', 'GET', 'api.acme.example:8443/files/'],
    ['a method in other letters', 'get', 'api.acme.example/user'],
    ['another host', 'GET', 'evil.example/user'],
    ['a host inside another', 'GET', 'api.acme.example.evil.example/user'],
    ['another port', 'GET', 'api.acme.example:8443/user'],
    ['more of a path', 'GET', 'api.acme.example/user/keys'],
    ['a slash at the end', 'GET', 'api.acme.example/user/'],
    ['less of a path', 'GET', 'api.acme.example/repos/a/issues'],
    ['a name that is missing', 'GET', 'api.acme.example/search'],
    ['other letters', 'GET', 'api.acme.example/USER'],
  ])('not with %s', (_what, method, target) => {
    expect(outcomeOf(method, target)).toBe('not_allowed');
  });

  it.each([
    ['dot segments', 'api.acme.example/search/../user'],
    ['encoded dot segments', 'api.acme.example/search/%2e%2E/user'],
    ['half encoded dot segments', 'api.acme.example/search/.%2e/user'],
    ['a dot', 'api.acme.example/search/./x'],
    ['encoded slashes', 'api.acme.example/repos/a%2f..%2fuser/c/issues'],
    ['encoded backslashes', 'api.acme.example/search/..%5cuser'],
    ['backslashes', 'api.acme.example/search/..\\user'],
    ['an encoding of an encoding', 'api.acme.example/search/%252e%252e/user'],
    ['a path parameter', 'api.acme.example/search/..;/user'],
    ['an encoded path parameter', 'api.acme.example/search/..%3b/user'],
    ['empty segments', 'api.acme.example//user'],
    ['an address for a path', 'https://evil.example/user'],
    ['an address behind slashes', '//evil.example/user'],
    ['no path', 'api.acme.example'],
    ['a user name', 'api.acme.example@evil.example/user'],
    ['an encoded authority', 'api.acme.example%2f@evil.example/user'],
    ['a port that is none', 'api.acme.example:/user'],
    ['a host in capitals', 'API.acme.example/user'],
    ['a fragment', 'api.acme.example/user#x'],
    ['an end of a line', 'api.acme.example/user%0d%0aHost:evil'],
    ['a NUL', 'api.acme.example/user%00'],
    ['half an encoding', 'api.acme.example/user%2'],
    ['what is not UTF-8', 'api.acme.example/user%ff'],
    ['letters that were not encoded', 'api.acme.example/üser'],
    ['another method in the query', 'api.acme.example/user?_method=DELETE'],
    ['another method in the query, encoded', 'api.acme.example/user?%5Fmethod=DELETE'],
    ['an end of a line in the query', 'api.acme.example/user?a=\r\nx'],
    ['too much of it', `api.acme.example/search/${'a'.repeat(9_000)}`],
  ])('not with %s', (_what, target) => {
    expect(outcomeOf('GET', target)).toBe('malformed_target');
  });

  it('is sent in one spelling, which reads as it was read', () => {
    expect(encodePath(parseForwardTarget('h/a%62%20:@%C3%BC+,').segments)).toBe('/ab%20:@%C3%BC+,');
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        (segments) => {
          const raw = `h/${segments.map(encodeURIComponent).join('/')}`;
          let parsed;
          try {
            parsed = parseForwardTarget(raw);
          } catch {
            return;
          }
          const sent = encodePath(parsed.segments);
          expect(parseForwardTarget(`h${sent}`)).toEqual(parsed);
          // Who normalises it on the way changes nothing.
          expect(new URL(sent, 'https://h').pathname).toBe(sent);
        },
      ),
    );
  });
});

describe('headers', () => {
  it('of the caller: only those that are named, and never a credential', () => {
    const sent = forwardedRequestHeaders(
      {
        accept: 'a',
        authorization: 'DPoP x',
        dpop: 'proof',
        cookie: 'c=1',
        connection: 'accept',
        te: 'trailers',
        host: 'behalf.example',
        'transfer-encoding': 'chunked',
        'proxy-authorization': 'Basic x',
        'x-forwarded-for': '10.0.0.1',
        'x-http-method-override': 'DELETE',
        'acme-version': '1',
      },
      forwarding,
    );
    expect(sent).toEqual({ accept: 'a', 'acme-version': '1' });
  });

  it('of the third party: no cookies, no challenge, nothing about our origin', () => {
    const told = forwardedResponseHeaders(
      {
        'content-type': 'application/json',
        'set-cookie': 'c=1',
        'www-authenticate': 'Bearer',
        'access-control-allow-origin': '*',
        'strict-transport-security': 'max-age=0',
        'clear-site-data': '"*"',
        'alt-svc': 'h2="evil.example"',
        'proxy-authenticate': 'Basic',
        'keep-alive': 'timeout=1',
        location: 'https://evil.example',
        'acme-request-id': '7',
      },
      forwarding,
    );
    expect(told).toEqual({ 'content-type': 'application/json', 'acme-request-id': '7' });
  });
});

describe('where an answer sends the caller', () => {
  const to = (location: string): string | undefined =>
    forwardedLocation(
      location,
      { base: 'https://behalf.example/forward/acme', from: 'https://api.acme.example/user', method: 'GET' },
      forwarding,
    );

  it('is an address of ours when it may be called', () => {
    expect(to('/search/x?page=2')).toBe(
      'https://behalf.example/forward/acme/api.acme.example/search/x?page=2',
    );
    expect(to('https://api.acme.example/repos/a/b/issues#top')).toBe(
      'https://behalf.example/forward/acme/api.acme.example/repos/a/b/issues',
    );
  });

  it.each([
    'https://evil.example/user',
    '//evil.example/user',
    'http://api.acme.example/user',
    'https://x@api.acme.example/user',
    '/admin',
    '/search/%2e%2e%2fadmin',
    'javascript:alert(1)',
    'https://',
  ])('is not told when it is %s', (location) => {
    expect(to(location)).toBeUndefined();
  });
});
