import { OAuthError, tokenTypes } from '@behalf/oauth';
import {
  clientWith,
  exchangeFixture,
  issuer,
  now,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import { readIssuer } from './read-issuer.js';

const jwt = (claims: unknown): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const external = jwt({ iss: 'https://idp.example' });

describe('readIssuer', () => {
  it('reads who a JWT says it is from', () => {
    expect(readIssuer(external)).toBe('https://idp.example');
  });

  it.each([
    '',
    'opaque',
    'a.b',
    'a.%.c',
    external.replace(/\.x$/, ''),
    jwt(null),
    jwt('text'),
    jwt({}),
    jwt({ iss: 7 }),
    jwt({ iss: [] }),
  ])('reads nothing from %j', (token) => {
    expect(readIssuer(token)).toBeUndefined();
  });
});

describe('the verifier of a subject token', () => {
  it('is chosen by its issuer: ours never verifies what says it is another’s, nor the other way round', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims(), [external]: subjectClaims() });
    await expect(fixture.exchange({ subject_token: external })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'subject_issuer_unknown' } }]);

    const presented: unknown[] = [];
    fixture.dependencies.verifyExternalToken = async (_token, about) => {
      presented.push(about);
      return subjectClaims({ sub: 'https://idp.example#alice', client_id: 'https://idp.example#app' });
    };
    const issued = await fixture.issued({ subject_token: external, subject_token_type: tokenTypes.jwt });
    expect(issued).toMatchObject({ iss: issuer, sub: 'https://idp.example#alice', act: { sub: 'gateway' } });
    expect(presented).toEqual([
      { issuer: 'https://idp.example', tokenType: tokenTypes.jwt, clientId: 'gateway' },
    ]);
    await fixture.exchange();
    expect(presented).toHaveLength(1);
  });

  it('RFC 8693 §2.2.2: refuses and tells "cannot be checked" from "invalid" for other issuers, too', async () => {
    const fixture = exchangeFixture();
    for (const code of ['invalid_token', 'temporarily_unavailable'] as const) {
      fixture.dependencies.verifyExternalToken = async () => Promise.reject(new OAuthError(code, 'no'));
      await expect(
        fixture.exchange({ subject_token: external, subject_token_type: tokenTypes.jwt }),
      ).rejects.toMatchObject({ code: code === 'invalid_token' ? 'invalid_request' : code });
    }
  });

  it('acts for nobody on a token that an external client has for itself', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.verifyExternalToken = async () =>
      subjectClaims({ sub: 'i#app', client_id: 'i#app' });
    await expect(
      fixture.exchange({ subject_token: external, subject_token_type: tokenTypes.jwt }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('takes no JWT of ours as anything but what it is', async () => {
    for (const type of [tokenTypes.jwt, tokenTypes.refreshToken, 'urn:example:unknown']) {
      const fixture = exchangeFixture();
      fixture.dependencies.verifyIdToken = async () => subjectClaims();
      await expect(fixture.exchange({ subject_token_type: type })).rejects.toMatchObject({
        code: 'invalid_request',
        description: 'subject_token_type is not supported',
      });
    }
  });

  it('RFC 8693 §2.1: is the one for the type that it is presented as', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.verifyIdToken = async () => {
      throw new OAuthError('invalid_token', 'no ID token');
    };
    await fixture.exchange();
    for (const type of [tokenTypes.transactionToken, tokenTypes.idToken]) {
      await expect(fixture.exchange({ subject_token_type: type })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    }
    expect(fixture.recorded.map(({ details }) => details?.['reason'])).toEqual([
      undefined,
      'transaction_token_only_replaced',
      'subject_token_invalid',
    ]);
  });
});

describe('an ID token', () => {
  function withIdToken(delegation: 'policy' | 'grant', clientId = 'gateway') {
    const fixture = exchangeFixture();
    const { findTarget } = fixture.dependencies;
    Object.assign(fixture.dependencies, {
      verifyIdToken: async () => subjectClaims({ client_id: clientId, scope: '' }),
      findTarget: (id: string) => {
        const target = findTarget(id);
        return target && { ...target, delegation };
      },
      findDelegationGrant: async () => ({
        id: 'd-1',
        scopes: ['mcp:tools'],
        authorizationDetails: [],
        expiresAtSeconds: now + 60,
      }),
    });
    return fixture;
  }
  const parameters = { subject_token_type: tokenTypes.idToken };

  it('is worth what the person delegated to the client', async () => {
    expect(await withIdToken('grant').issued(parameters)).toMatchObject({
      scope: 'mcp:tools',
      delegations: ['d-1'],
    });
  });

  it('is worth nothing where nobody delegated anything', async () => {
    await expect(withIdToken('policy').exchange(parameters)).rejects.toMatchObject({ code: 'invalid_scope' });
  });

  it('is presented by its own client, not by who serves a resource', async () => {
    await expect(withIdToken('grant', 'editor').exchange(parameters)).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

it('a lineage is never cut: past its limit nothing is issued, impersonated or not', async () => {
  const lineage = ['1', '2', '3', '4', '5'];
  const fixture = exchangeFixture({ subject: subjectClaims({ lineage }) });
  await expect(fixture.exchange({}, clientWith({ impersonation: [upstreamResource] }))).rejects.toMatchObject(
    { code: 'invalid_request' },
  );
  expect(fixture.recorded).toMatchObject([{ details: { reason: 'chain_too_deep' } }]);
});
