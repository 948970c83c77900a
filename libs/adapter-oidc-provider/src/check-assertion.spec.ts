import { checkAssertion } from './check-assertion.js';

const issuer = 'https://as.example';
const nowSeconds = 1_800_000_000;
const check = (claims: object) =>
  checkAssertion({ aud: issuer, exp: nowSeconds + 60, iat: nowSeconds, ...claims }, { issuer, nowSeconds });

describe('RFC 7523bis: a client assertion', () => {
  it.each<[string, object]>([
    ['for the issuer', {}],
    ['for a list of the issuer alone', { aud: [issuer] }],
    ['that does not say when it was made', { iat: undefined }],
    ['as long as can be', { exp: nowSeconds + 300 }],
    ['of a clock that is a little ahead', { iat: nowSeconds + 10, exp: nowSeconds + 310 }],
  ])('is accepted %s', (_title, claims) => {
    expect(() => check(claims)).not.toThrow();
  });

  it.each<[string, object]>([
    ['for the token endpoint', { aud: `${issuer}/token` }],
    ['for the issuer and another', { aud: [issuer, 'https://other.example'] }],
    ['for the issuer twice', { aud: [issuer, issuer] }],
    ['for the issuer with a slash more', { aud: `${issuer}/` }],
    ['for nobody', { aud: [] }],
    ['for a day', { exp: nowSeconds + 86_400 }],
    ['for a day, without saying since when', { exp: nowSeconds + 86_400, iat: undefined }],
    ['that was made an hour ago', { iat: nowSeconds - 3600 }],
    ['from the future', { iat: nowSeconds + 60 }],
  ])('is refused %s', (_title, claims) => {
    expect(() => check(claims)).toThrow(expect.objectContaining({ error: 'invalid_client' }));
  });
});
