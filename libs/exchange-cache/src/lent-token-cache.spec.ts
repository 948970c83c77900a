import { OAuthError } from '@behalf/oauth';
import {
  type ExchangeParameters,
  type ThirdPartyDependencies,
  type ThirdPartyTokenResponse,
  exchangeForThirdParty,
} from '@behalf/token-exchange';
import { LentTokenCache } from './lent-token-cache.js';

const start = 1_800_000_000;
const drive = 'https://api.drive.example';

/** Exchanges for a third party's token, with everything that a kept one depends on in the hands of the test. */
function system() {
  const state = {
    nowSeconds: start,
    opened: 0,
    policy: 'v1' as string | undefined,
    revoked: new Set<string>(),
    isLent: true,
    expiresInSeconds: 3600 as number | undefined,
    subjectExpires: start + 900,
    records: [] as { outcome: string; details?: object | undefined }[],
    /** Runs after the vault has opened the credential, before its answer arrives. */
    meanwhile: () => {},
  };
  const cache = new LentTokenCache({ maxEntries: 100 });
  const dependencies: ThirdPartyDependencies = {
    issuer: 'https://as.example',
    lentTokens: cache,
    verifyAccessToken: async (token) => ({
      iss: 'https://as.example',
      sub: token.split(' ')[0] ?? '',
      aud: 'https://gw.example',
      client_id: 'editor',
      exp: state.subjectExpires,
      jti: `jti of ${token}`,
      scope: 'mcp:tools',
      sid: 'session',
    }),
    checkNotRevoked: async (tokens) => {
      if (tokens.some(({ sid }) => state.revoked.has(sid ?? '')))
        throw new OAuthError('invalid_token', 'revoked');
    },
    findTarget: (resource) => ({
      resource,
      scopes: [],
      servedBy: ['calendar', 'mail'],
      delegation: 'policy',
    }),
    findThirdParty: () => ({
      resource: drive,
      provider: 'drive',
      scopes: ['files.read', 'files.write'],
      defaultScopes: ['files.read'],
    }),
    decide: async () => ({
      decision: true,
      context: { id: 'd', ...(state.policy !== undefined && { policy_version: state.policy }) },
    }),
    describeChain: async () => ({ client: 'editor', names: {} }),
    requestThirdPartyToken: async ({ person, scopes }) => {
      if (!state.isLent) throw new OAuthError('interaction_required', 'ask the person');
      state.opened += 1;
      const accessToken = `${person} ${state.opened}`;
      state.meanwhile();
      const { expiresInSeconds } = state;
      return { outcome: 'token', accessToken, tokenType: 'Bearer', expiresInSeconds, scopes };
    },
    audit: { append: async (record) => void state.records.push(record) },
  };
  return {
    state,
    cache,
    exchange: (changes: ExchangeParameters = {}, clientId = 'calendar'): Promise<ThirdPartyTokenResponse> =>
      exchangeForThirdParty(
        {
          client: {
            clientId,
            isConfidential: true,
            ceiling: { audiences: [drive], scopes: ['files.read', 'files.write'] },
          },
          parameters: {
            subject_token: 'alice',
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            resource: drive,
            ...changes,
          },
          nowSeconds: state.nowSeconds,
        },
        dependencies,
      ),
  };
}

describe('a third party’s token that was lent before', () => {
  it('is given out again for whatever call needs it, and recorded each time', async () => {
    const { exchange, state } = system();
    const request = { request_method: 'tools/call', request_name: 'list', request_digest: 'a'.repeat(43) };
    expect(await exchange(request)).toMatchObject({ access_token: 'alice 1', expires_in: 3600 });
    state.nowSeconds += 10;
    expect(await exchange({ ...request, request_digest: 'b'.repeat(43) })).toMatchObject({
      access_token: 'alice 1',
      expires_in: 3590,
    });
    expect(state.records).toMatchObject([
      { outcome: 'allowed', details: { audience: drive } },
      { outcome: 'allowed', occurredAtMs: (start + 10) * 1000, details: { cached: 'process' } },
    ]);
  });

  it.each<[string, ExchangeParameters, string]>([
    ['with the token of another person', { subject_token: 'bob' }, 'calendar'],
    ['with another token of the same person', { subject_token: 'alice again' }, 'calendar'],
    ['with another scope', { scope: 'files.write' }, 'calendar'],
    ['as another client', {}, 'mail'],
    ['with the state of another request', { request_state: 'sealed' }, 'calendar'],
  ])('is not what comes of an exchange %s', async (_what, changes, clientId) => {
    const { exchange, state } = system();
    await exchange();
    await exchange(changes, clientId);
    expect(state.opened).toBe(2);
  });

  it.each<[string, (one: ReturnType<typeof system>) => void]>([
    ['a minute has passed', ({ state }) => void (state.nowSeconds += 60)],
    ['its person’s account changes', ({ cache }) => cache.dropAccount('alice', 'drive')],
    ['the session it was lent in ends', ({ state }) => void state.revoked.add('session')],
    ['the news of that comes', ({ cache }) => cache.dropRevoked({ kind: 'session', id: 'session' })],
    ['its client is stopped', ({ cache }) => cache.dropRevoked({ kind: 'client', id: 'calendar' })],
    ['the person’s client is stopped', ({ cache }) => cache.dropRevoked({ kind: 'client', id: 'editor' })],
    ['policy changes', ({ cache }) => cache.policyChanged('v2')],
  ])('is not given out again when %s', async (_what, happen) => {
    const one = system();
    await one.exchange();
    happen(one);
    await one.exchange();
    expect(one.state.opened).toBe(2);
  });

  it.each<[string, (one: ReturnType<typeof system>) => void]>([
    ['the account changed meanwhile', ({ cache }) => cache.dropAccount('alice', 'drive')],
    [
      'so many others changed that nobody knows',
      ({ cache }) => {
        cache.dropAccount('alice', 'drive');
        for (let n = 0; n < 10_001; n++) cache.dropAccount(`person ${n}`, 'drive');
      },
    ],
  ])('is not kept when %s', async (_what, happen) => {
    const one = system();
    one.state.meanwhile = () => happen(one);
    await one.exchange();
    one.state.meanwhile = () => {};
    await one.exchange();
    expect(one.state.opened).toBe(2);
  });

  it.each<[string, (state: ReturnType<typeof system>['state']) => void]>([
    ['the presented one', (state) => void (state.subjectExpires = start + 20)],
    ['itself', (state) => void (state.expiresInSeconds = 50)],
  ])('outlives nothing: %s', async (_what, change) => {
    const { exchange, state } = system();
    change(state);
    await exchange();
    state.nowSeconds += 19;
    await exchange();
    expect(state.opened).toBe(1);
    state.nowSeconds += 1;
    state.subjectExpires += 900;
    await exchange();
    expect(state.opened).toBe(2);
  });

  it('is not kept when nobody knows by which policies, and a refusal never is', async () => {
    const { exchange, state } = system();
    state.policy = undefined;
    await exchange();
    await exchange();
    expect(state.opened).toBe(2);
    state.policy = 'v1';
    state.isLent = false;
    for (let n = 0; n < 2; n++)
      await expect(exchange()).rejects.toMatchObject({ code: 'interaction_required' });
    state.isLent = true;
    await exchange();
    expect(state.opened).toBe(3);
  });

  it('changes of other accounts leave it alone', async () => {
    const { exchange, state, cache } = system();
    await exchange();
    cache.dropAccount('bob', 'drive');
    cache.dropAccount('alice', 'mail');
    cache.dropRevoked({ kind: 'client', id: 'mail' });
    await exchange();
    expect(state.opened).toBe(1);
  });
});
