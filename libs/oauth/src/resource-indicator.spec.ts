import { canonicalResource, protectedResourceMetadataUrl } from './index.js';

const isSame = (one: string, other: string): boolean => canonicalResource(one) === canonicalResource(other);

describe('canonicalResource', () => {
  it.each([
    ['HTTPS://Example.COM/MCP', 'https://example.com/MCP'],
    ['https://example.com:443/mcp', 'https://example.com/mcp'],
    ['HTTP://Example.com:80/mcp', 'http://example.com/mcp'],
    ['https://example.com/', 'https://example.com'],
    ['https://example.com/mcp/', 'https://example.com/mcp/'],
    ['https://example.com/%7Ea', 'https://example.com/%7Ea'],
    ['urn:Example:Tool', 'urn:Example:Tool'],
    ['xhttps://Example.com/mcp', 'xhttps://Example.com/mcp'],
    ['not a URL', 'not a URL'],
    ['https://[', 'https://['],
    ['https:/h/mcp', 'https:/h/mcp'],
  ])('%s is looked up as %s', (given, canonical) => {
    expect(canonicalResource(given)).toBe(canonical);
  });

  it('keeps resources apart that differ in path, port or scheme', () => {
    for (const other of [
      'https://h/mcp/y',
      'https://h:8443/mcp/x',
      'http://h/mcp/x',
      'https://h/mcp/x?a=b',
      'https://h/MCP/x',
    ]) {
      expect(isSame('https://h/mcp/x', other)).toBe(false);
    }
  });

  it('is not led astray by userinfo or dot segments', () => {
    expect(isSame('https://h/mcp/x', 'https://h/mcp/y/../x')).toBe(false);
    expect(isSame('https://h/mcp/x', 'https://h@evil.example/mcp/x')).toBe(false);
    expect(isSame('https://h', 'https://h\\mcp\\x')).toBe(false);
    // A URL parser takes off what is around it; a comparison must not.
    expect(isSame('https://h/mcp/x', ' https://h/mcp/x')).toBe(false);
  });
});

describe('protectedResourceMetadataUrl', () => {
  it('RFC 9728 §3.1: puts the well-known segment between host and path', () => {
    expect(protectedResourceMetadataUrl('https://h:1/mcp/x')).toBe(
      'https://h:1/.well-known/oauth-protected-resource/mcp/x',
    );
    expect(protectedResourceMetadataUrl('https://h')).toBe('https://h/.well-known/oauth-protected-resource');
  });
});
