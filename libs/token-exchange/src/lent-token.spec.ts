import { OAuthError, tokenTypes } from '@behalf/oauth';
import { clientWith, gatewayResource, now, subjectClaims } from './exchange.fixture.js';
import type { ExchangeRequest, TokenClaims } from './ports.js';
import { client, drive, offer, thirdPartyFixture, token } from './third-party.fixture.js';
import type { LentToken, LentTokenCache } from './third-party-ports.js';

/** A cache that keeps nothing, and what it was asked. */
function watchedCache() {
  const seen: { request: ExchangeRequest; lent: LentToken }[] = [];
  const lentTokens: LentTokenCache = {
    through: async (request, lend) => {
      const lent = await lend();
      seen.push({ request, lent });
      return { lent, isKept: false };
    },
  };
  return { seen, lentTokens };
}

async function lentWith(
  expiresInSeconds: number | undefined,
  claims: Partial<TokenClaims> = {},
): Promise<LentToken> {
  const { seen, lentTokens } = watchedCache();
  const system = thirdPartyFixture([{ ...token, expiresInSeconds }], subjectClaims(claims), { lentTokens });
  await system.exchange();
  return seen[0]!.lent;
}

describe('a token that a third party lent', () => {
  it.each<[string, number, number | undefined, Partial<TokenClaims>]>([
    ['a minute, where nothing ends before', now + 60, 600, {}],
    ['a minute, where the third party does not say how long it lives', now + 60, undefined, {}],
    ['no longer than the subject token', now + 20, 600, { exp: now + 20 }],
    ['not into the last half minute of its own life', now + 10, 40, {}],
  ])('is kept for %s', async (_title, until, lifetime, claims) => {
    expect((await lentWith(lifetime, claims)).keptUntilSeconds).toBe(until);
  });

  it('is kept no longer than the actor token', async () => {
    const { seen, lentTokens } = watchedCache();
    const system = thirdPartyFixture([{ ...token, expiresInSeconds: 600 }], subjectClaims(), {
      lentTokens,
      verifyAccessToken: async (presented) =>
        presented === 'actor'
          ? subjectClaims({ sub: 'gateway', client_id: 'gateway', jti: 'actor-jti', exp: now + 15 })
          : subjectClaims(),
    });
    await system.exchange({ actor_token: 'actor', actor_token_type: tokenTypes.accessToken });
    const { lent } = seen[0]!;
    expect(lent.keptUntilSeconds).toBe(now + 15);
    expect(lent.ties.map(({ jti }) => jti)).toEqual(['root-jti', 'root-jti', 'actor-jti']);
  });

  it('is tied to the token that was presented, and to the chain that it is lent to', async () => {
    const lent = await lentWith(60, { act: { sub: 'agent' } });
    expect(lent).toMatchObject({
      accessToken: 'drive-token',
      tokenType: 'Bearer',
      scopes: ['files.read'],
      expiresAtSeconds: now + 60,
      person: 'alice',
      provider: 'drive',
      record: { type: 'exchange', outcome: 'allowed' },
    });
    expect(lent.ties.map(({ act, iat }) => [act, iat])).toEqual([
      [{ sub: 'gateway', act: { sub: 'agent' } }, now],
      [{ sub: 'agent' }, undefined],
    ]);
    expect(lent.policyVersion).toBeUndefined();
  });

  it('is tied to the policies that permitted it, where they were of one version', async () => {
    const versions = ['v1', 'v1', 'v1', 'v2'];
    const completed = { ...offer, status: 'completed' as const };
    const { seen, lentTokens } = watchedCache();
    const system = thirdPartyFixture(
      [token, { outcome: 'interaction_required', elicitation: completed }, token],
      subjectClaims(),
      {
        lentTokens,
        decide: async () => ({ decision: true, context: { id: 'd', policy_version: versions.pop()! } }),
      },
    );
    await system.exchange();
    await system.exchange();
    expect(seen.map(({ lent }) => lent.policyVersion)).toEqual(['v2', 'v1']);
  });

  it('belongs to no one version, where the policies changed while the person was asked', async () => {
    const versions = ['v2', 'v1'];
    const completed = { ...offer, status: 'completed' as const };
    const { seen, lentTokens } = watchedCache();
    const system = thirdPartyFixture(
      [{ outcome: 'interaction_required', elicitation: completed }, token],
      subjectClaims(),
      {
        lentTokens,
        decide: async () => ({ decision: true, context: { id: 'd', policy_version: versions.pop()! } }),
      },
    );
    await system.exchange();
    expect(seen[0]!.lent.policyVersion).toBeUndefined();
  });

  it('is looked for by all that was asked, but for which request needs it', async () => {
    const { seen, lentTokens } = watchedCache();
    const system = thirdPartyFixture([token], subjectClaims(), { lentTokens });
    const request = { method: 'tools/call', name: 'list', digest: 'd'.repeat(43) };
    await system.exchange({
      request_method: request.method,
      request_name: request.name,
      request_digest: request.digest,
      wait: '5',
      scope: 'files.read',
    });
    expect(Object.keys(seen[0]!.request.parameters).sort()).toEqual(
      ['grant_type', 'resource', 'scope', 'subject_token', 'subject_token_type'].sort(),
    );
    expect(system.requests).toMatchObject([{ request, waitSeconds: 5 }]);
  });

  it('is never taken from a cache for a state that has to be checked: it may be another’s', async () => {
    const { seen, lentTokens } = watchedCache();
    const system = thirdPartyFixture([token], subjectClaims(), { lentTokens });
    await system.exchange({ request_state: 'sealed' });
    expect(seen).toEqual([]);
    expect(system.requests).toMatchObject([{ requestState: 'sealed' }]);
  });

  it('is given out again with the time that is left, recorded as that, for as long as it is good', async () => {
    const kept = { ...(await lentWith(600)), accessToken: 'kept' };
    const good: boolean[] = [];
    const lentTokens: LentTokenCache = {
      through: async (_request, _lend, isStillGood) => {
        good.push(await isStillGood(kept));
        return { lent: kept, isKept: true };
      },
    };
    const checked: string[][] = [];
    const system = thirdPartyFixture([], subjectClaims(), {
      lentTokens,
      checkNotRevoked: async (ties) => void checked.push(ties.map(({ jti }) => jti)),
      // It stands on none: that people lend is for the elicitation service to know.
      findDelegationGrant: async () => ({
        id: 'd-1',
        scopes: [],
        authorizationDetails: [],
        expiresAtSeconds: now,
      }),
    });
    const again = await system.exchange({}, client, { nowSeconds: now + 59, traceId: 'trace-2' });
    expect(again).toMatchObject({ access_token: 'kept', expires_in: 541 });
    expect(checked).toEqual([['root-jti', 'root-jti']]);
    expect(system.recorded).toMatchObject([
      { occurredAtMs: (now + 59) * 1000, traceId: 'trace-2', details: { cached: 'process' } },
    ]);
    await system.exchange({}, client, { nowSeconds: now + 60 });
    expect(good).toEqual([true, false]);
  });

  it('says nothing of a life that the third party says nothing of', async () => {
    const system = thirdPartyFixture([{ ...token, expiresInSeconds: undefined, scopes: ['a', 'b'] }]);
    const answer = await system.exchange();
    expect(answer).not.toHaveProperty('expires_in');
    expect(answer.scope).toBe('a b');
    expect(system.recorded[0]?.details).not.toHaveProperty('cached');
  });
});

describe('the question to the elicitation service', () => {
  it('names the session, the grant and the transaction, so that ending one of them ends this', async () => {
    const system = thirdPartyFixture();
    await system.exchange();
    expect(system.requests).toEqual([
      {
        person: 'alice',
        actors: ['gateway'],
        client: 'editor',
        names: { editor: 'Editor' },
        resource: drive.resource,
        scopes: ['files.read'],
        decisionId: 'decision-1',
        decisionGrant: 'grant-1',
        sid: 'session-1',
        grantId: 'grant-1',
        txn: 'txn-1',
        waitSeconds: 0,
      },
    ]);
  });

  it('carries no grant of a decision that gave none, and the first token names the transaction', async () => {
    const system = thirdPartyFixture([token], subjectClaims({ txn: undefined }), {
      decide: async () => ({ decision: true }),
    });
    await system.exchange();
    expect(system.requests[0]).not.toHaveProperty('decisionGrant');
    expect(system.requests[0]).toMatchObject({ txn: 'root-jti' });
  });

  it('asks once more at most, however often the person finished', async () => {
    const completed = {
      outcome: 'interaction_required',
      elicitation: { ...offer, status: 'completed' },
    } as const;
    const system = thirdPartyFixture([completed, completed, token]);
    await expect(system.exchange()).rejects.toMatchObject({ code: 'interaction_required' });
    expect(system.requests).toHaveLength(2);
  });

  it('asks for all that is configured only by name, and for the defaults otherwise', async () => {
    const system = thirdPartyFixture([token, token]);
    await system.exchange();
    await system.exchange({ scope: 'files.write files.read' });
    expect(system.requests.map(({ scopes }) => scopes)).toEqual([
      ['files.read'],
      ['files.write', 'files.read'],
    ]);
  });

  it('can be about a third party without scopes, which then gets none, and none by name', async () => {
    const findThirdParty = () => ({ ...drive, scopes: [], defaultScopes: [] });
    const system = thirdPartyFixture([token, token], subjectClaims(), { findThirdParty });
    await system.exchange();
    expect(system.requests.map(({ scopes }) => scopes)).toEqual([[]]);
    await expect(system.exchange({ scope: 'files.read' })).rejects.toMatchObject({ code: 'invalid_scope' });
  });
});

describe('an exchange for a third party that is refused', () => {
  it('RFC 8628 §3.2: says all that a person and a program need, and never a time that is over', async () => {
    const past = { ...offer, expiresAtMs: (now - 1) * 1000 };
    const system = thirdPartyFixture([{ outcome: 'interaction_required', elicitation: past }]);
    const error = (await system.exchange().catch((thrown: unknown) => thrown)) as OAuthError;
    expect(error.toJSON()).toEqual({
      error: 'interaction_required',
      error_description: expect.stringMatching(/./) as string,
      interaction_uri: offer.url,
      interaction_message: offer.message,
      expires_in: 0,
      interval: 3,
      elicitation_id: 'e-1',
      elicitation_uri: offer.pollUrl,
      request_state: 'sealed',
    });
    expect(system.recorded).toMatchObject([{ details: { reason: 'third_party_refused' } }]);
  });

  it.each<
    [string, string, Parameters<ReturnType<typeof thirdPartyFixture>['exchange']>[0], Partial<TokenClaims>]
  >([
    ['no target', 'target_missing', { resource: undefined }, {}],
    ['two targets', 'several_targets', { audience: gatewayResource }, {}],
    ['a target that is nobody’s', 'target_unknown', { resource: 'https://other.example' }, {}],
    ['a bound token', 'third_party_unbound', {}, { cnf: { jkt: 'k' } }],
    [
      'another type of token',
      'token_type_unsupported',
      { requested_token_type: tokenTypes.transactionToken },
      {},
    ],
    ['a chain that is too deep', 'chain_too_deep', {}, { act: { sub: 'b', act: { sub: 'a' } } }],
  ])('for %s is recorded as %s', async (_title, reason, changes, claims) => {
    const system = thirdPartyFixture([token], subjectClaims(claims));
    const shallow = { ...client, ceiling: { ...client.ceiling!, maxChainDepth: 2 } };
    await expect(system.exchange(changes, shallow, { proof: { jkt: 'k' } })).rejects.toBeInstanceOf(
      OAuthError,
    );
    expect(system.recorded).toMatchObject([{ outcome: 'refused', details: { reason } }]);
    expect(system.requests).toEqual([]);
  });

  it('for another type of token names the parameter', async () => {
    const changes = { requested_token_type: tokenTypes.transactionToken };
    await expect(thirdPartyFixture().exchange(changes)).rejects.toMatchObject({
      description: 'requested_token_type is not supported',
    });
  });

  it('for an ID token is recorded as that: who somebody is says nothing of what may be done for them', async () => {
    const system = thirdPartyFixture([token], subjectClaims(), {
      verifyIdToken: async () => subjectClaims({ client_id: 'gateway' }),
    });
    await expect(system.exchange({ subject_token_type: tokenTypes.idToken })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(system.recorded).toMatchObject([{ details: { reason: 'third_party_subject' } }]);
  });

  it('beyond the ceiling of the client is recorded as that', async () => {
    const system = thirdPartyFixture();
    await expect(system.exchange({}, clientWith({}))).rejects.toMatchObject({ code: 'invalid_target' });
    expect(system.recorded).toMatchObject([
      {
        actors: ['gateway'],
        details: { reason: 'target_beyond_ceiling' },
      },
    ]);
  });

  it('is refused for its own reason where that cannot be recorded', async () => {
    const system = thirdPartyFixture([new OAuthError('access_denied', 'the person declined')]);
    system.dependencies.audit.append = async () => Promise.reject(new Error('disk full'));
    await expect(system.exchange()).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('tells an outage from a refusal, with its cause for the log', async () => {
    const system = thirdPartyFixture([]);
    await expect(system.exchange()).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      cause: { message: 'nobody answers' },
    });
    expect(system.recorded).toMatchObject([{ details: { reason: 'third_party_unavailable' } }]);
  });

  it('lets a fault of ours through as what it is, and records no refusal', async () => {
    const fault = new RangeError('broken');
    const system = thirdPartyFixture([token], subjectClaims(), {
      describeChain: async () => Promise.reject(fault),
    });
    await expect(system.exchange()).rejects.toBe(fault);
    expect(system.recorded).toEqual([]);
  });
});
