import { OAuthError } from '@behalf/oauth';
import { bearerChallenge, readBearerToken } from './index.js';

const noQuery = new URLSearchParams();

describe('readBearerToken', () => {
  it('RFC 6750 §2.1: takes the token, whatever the case of the scheme', () => {
    expect(readBearerToken('bearer abc.def', noQuery)).toBe('abc.def');
  });

  it.each([undefined, 'Basic abc', 'DPoP abc'])('finds none in %j', (header) => {
    expect(readBearerToken(header, noQuery)).toBeUndefined();
  });

  it.each(['Bearer', 'Bearer a b', 'Bearer a,b', 'Bearer "a"'])(
    'MCP item 27: a malformed header %j is 400',
    (header) => {
      expect(() => readBearerToken(header, noQuery)).toThrow(
        expect.objectContaining({ code: 'invalid_request', status: 400 }),
      );
    },
  );

  it('MCP item 32: refuses a token in the query, even beside one in the header', () => {
    expect(() => readBearerToken('Bearer abc', new URLSearchParams('access_token=abc'))).toThrow(OAuthError);
  });
});

describe('bearerChallenge', () => {
  const options = {
    resourceMetadata: 'https://gw.example/.well-known/oauth-protected-resource/mcp/x',
    scope: 'mcp:tools',
  };

  it('RFC 6750 §3.1: has no error when no token was presented', () => {
    expect(bearerChallenge(options)).toBe(
      `Bearer scope="mcp:tools", resource_metadata="${options.resourceMetadata}"`,
    );
  });

  it('cannot be broken out of by a description', () => {
    const error = new OAuthError('invalid_token', 'a", evil="b');
    expect(bearerChallenge({ ...options, error })).toContain(
      'error="invalid_token", error_description="a?, evil=?b"',
    );
  });
});
