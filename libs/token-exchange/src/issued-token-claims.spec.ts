import { ScopeSet } from '@behalf/oauth';
import { exchangeFixture, gatewayClient, issuer, now, upstreamResource } from './exchange.fixture.js';
import { issuedTokenClaims } from './issued-token-claims.js';
import type { TokenClaims } from './ports.js';

/** What every token has, and no more. */
const least: TokenClaims = {
  iss: issuer,
  sub: 'alice',
  aud: upstreamResource,
  client_id: 'editor',
  exp: now + 900,
  jti: 'first',
  scope: 'mcp:tools',
};
const grant = { id: 'd-1', scopes: ['mcp:tools'], authorizationDetails: [], expiresAtSeconds: now + 60 };

function build(
  subject: Partial<TokenClaims> = {},
  changes: Partial<Parameters<typeof issuedTokenClaims>[0]> = {},
) {
  return issuedTokenClaims({
    issuer,
    subject: { ...least, ...subject },
    act: undefined,
    clientId: 'gateway',
    audiences: [upstreamResource],
    scope: new ScopeSet(['mcp:tools']),
    nowSeconds: now,
    exp: now + 60,
    jti: 'id-1',
    lineage: ['first'],
    proof: undefined,
    mayAct: undefined,
    authorizationDetails: [],
    delegations: [],
    ...changes,
  });
}

describe('the claims of an issued token', () => {
  it('RFC 9068 §2.2: are those that every access token has, and none that says nothing', () => {
    expect(build()).toStrictEqual({
      iss: issuer,
      sub: 'alice',
      aud: upstreamResource,
      client_id: 'gateway',
      scope: 'mcp:tools',
      iat: now,
      exp: now + 60,
      jti: 'id-1',
      // The first token of a chain gives it its name.
      txn: 'first',
      lineage: ['first'],
    });
  });

  it('RFC 9068 §2.2.1: say when the person signed in, and keep all by which ending something ends this', () => {
    const ties = {
      auth_time: now - 60,
      sid: 'session-1',
      grant_id: 'grant-1',
      txn: 'txn-1',
      groups: ['eng'],
    };
    expect(build(ties)).toMatchObject(ties);
  });

  it('name each delegation grant once, the older first', () => {
    const stands = (delegations: string[] | undefined) =>
      build({ delegations }, { delegations: [grant] }).delegations;
    expect(stands(undefined)).toEqual(['d-1']);
    expect(stands(['d-0', 'd-1'])).toEqual(['d-0', 'd-1']);
    expect(build({ delegations: ['d-0'] }).delegations).toEqual(['d-0']);
  });

  it('RFC 7519 §4.1.3: are for one audience as a string, and for several as a list', () => {
    const both = ['https://a.example', 'https://b.example'];
    expect(build({}, { audiences: both }).aud).toEqual(both);
    expect(build().aud).toBe(upstreamResource);
    // Which the last look before signing stops.
    expect(build({}, { audiences: [] }).aud).toEqual([]);
  });
});

describe('the question to policy', () => {
  it('says of a person without groups that there are none, and takes an answer without a decision id', async () => {
    const fixture = exchangeFixture({ subject: least });
    fixture.dependencies.decide = async (evaluation) => {
      fixture.asked.push(evaluation);
      return { decision: true };
    };
    await fixture.exchange({}, { ...gatewayClient, clientId: 'editor' });
    expect(fixture.asked).toMatchObject([{ subject: { properties: { groups: [] } } }]);
    expect(fixture.asked[0]?.context).not.toHaveProperty('authorization_details');
    expect(fixture.recorded).toMatchObject([{ outcome: 'allowed', decisionId: undefined }]);
  });
});
