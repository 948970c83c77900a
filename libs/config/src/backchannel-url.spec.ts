import { backchannelUrl } from './backchannel-url.js';

const issuer = 'https://id.example/tenant';

describe('backchannelUrl', () => {
  it.each([
    ['https://id.example/tenant/token', 'http://as:4000/tenant/token'],
    ['https://id.example/.well-known/x/tenant', 'http://as:4000/.well-known/x/tenant'],
    ['https://id.example.evil/tenant/token', 'https://id.example.evil/tenant/token'],
    ['https://id.example:8443/tenant/token', 'https://id.example:8443/tenant/token'],
  ])('goes to the same path inside, and nowhere else: %s', (url, reached) => {
    expect(backchannelUrl({ issuer, internalUrl: 'http://as:4000' }, url)).toBe(reached);
  });

  it('is the URL itself when there is no other way in', () => {
    expect(backchannelUrl({ issuer, internalUrl: undefined }, `${issuer}/token`)).toBe(`${issuer}/token`);
  });
});
