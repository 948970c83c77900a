import { tokenTypes } from '@behalf/oauth';
import { FakeClock } from '@behalf/testing';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { compileCondition, ExternalSubjects, IssuerKeySets, type SubjectRules } from './index.js';

const issuer = 'https://idp.example';
const clock = new FakeClock();
const now = (): number => Math.floor(clock.nowMs() / 1000);

async function keyPair(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } as JWK };
}
const pair = await keyPair('k');

function subjects(changes: Partial<SubjectRules> = {}): ExternalSubjects {
  const rules: SubjectRules = {
    issuer,
    jwks: { keys: [pair.publicJwk] },
    algorithms: ['ES256'],
    clients: ['gateway'],
    maxLifetimeSeconds: 3600,
    accessTokens: {
      audiences: ['https://gw.example'],
      types: ['at+jwt'],
      scopes: ['mcp:tools', 'files:write'],
      scopeClaim: 'scope',
    },
    idTokens: { audiences: ['their-app'], scopes: ['mcp:tools'] },
    ...changes,
  };
  const keySets = new IssuerKeySets({ clock, fetchJson: async () => Promise.reject(new Error('asked')) });
  return new ExternalSubjects([rules], keySets, clock);
}

function sign(claims: object, typ?: string): Promise<string> {
  return new SignJWT({ iss: issuer, sub: 'alice', iat: now(), exp: now() + 600, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k', ...(typ !== undefined && { typ }) })
    .sign(pair.privateKey);
}
const accessToken = (claims: object = {}, typ = 'at+jwt'): Promise<string> =>
  sign({ aud: 'https://gw.example', client_id: 'app', jti: 'j', scope: 'mcp:tools admin', ...claims }, typ);
const idToken = (claims: object = {}, typ?: string): Promise<string> =>
  sign({ aud: 'their-app', nonce: 'n', ...claims }, typ);

async function verify(
  token: string,
  presented: { type?: string; clientId?: string; rules?: Partial<SubjectRules> } = {},
) {
  const { type = tokenTypes.accessToken, clientId = 'gateway', rules = {} } = presented;
  return subjects(rules).verify(token, { issuer, tokenType: type, clientId });
}
const code = (verifying: Promise<unknown>): Promise<string> =>
  verifying.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

describe('the people of another issuer', () => {
  it('have names that only their issuer can give, and the scope that both it and we say', async () => {
    expect(await verify(await accessToken())).toEqual({
      iss: issuer,
      sub: `${issuer}#alice`,
      aud: 'https://gw.example',
      client_id: `${issuer}#app`,
      exp: now() + 600,
      iat: now(),
      jti: expect.stringMatching(/^[\w-]{43}$/) as string,
      scope: 'mcp:tools',
    });
  });

  it('never become people of ours, whatever the issuer says of them', async () => {
    const claims = {
      sub: 'alice',
      grant_id: 'g',
      sid: 's',
      txn: 't',
      lineage: ['x'],
      delegations: ['d'],
      groups: ['eng'],
    };
    const mapped = await verify(await accessToken(claims));
    for (const name of ['grant_id', 'sid', 'txn', 'lineage', 'delegations', 'groups'])
      expect(mapped).not.toHaveProperty(name);
    expect(mapped.sub).not.toBe('alice');
    expect(mapped.jti).not.toBe('j');
  });

  it('are told from the issuer’s own clients, for which nobody can act', async () => {
    const { sub, client_id: clientId } = await verify(await accessToken({ sub: 'app' }));
    expect(sub).toBe(clientId);
  });

  it('bring groups that a table translates, and no others', async () => {
    const groups = { claim: 'roles', map: { Engineering: 'eng' } };
    const token = await accessToken({ roles: ['Engineering', 'eng', 'constructor', 7] });
    expect((await verify(token, { rules: { groups } })).groups).toEqual(['eng']);
    expect((await verify(await accessToken(), { rules: { groups } })).groups).toEqual([]);
  });

  it('bring the actors of their chain, as actors of that issuer', async () => {
    const token = await accessToken({ act: { sub: 'agent', act: { sub: 'first', iss: issuer } } });
    expect((await verify(token)).act).toEqual({
      sub: 'agent',
      iss: issuer,
      act: { sub: 'first', iss: issuer },
    });
  });

  it('chain grafting: an issuer cannot say that one of our agents, or a third’s, has acted', async () => {
    for (const act of [
      { sub: 'gateway', iss: 'https://as.example' },
      { sub: 'a', act: { sub: 'gateway', iss: 'https://as.example' } },
      { sub: 'a', act: 'b' },
    ]) {
      expect(await code(verify(await accessToken({ act })))).toBe('invalid_token');
    }
  });

  it('carry cnf, may_act and auth_time through, for the exchange to judge', async () => {
    const claims = { cnf: { jkt: 'k' }, may_act: { sub: 'gateway' }, auth_time: 7 };
    expect(await verify(await accessToken(claims))).toMatchObject(claims);
    expect(await verify(await accessToken({ auth_time: 'x' }))).not.toHaveProperty('auth_time');
  });

  it('read scope where the issuer puts it, as a text or a list', async () => {
    const accessTokens = {
      audiences: ['https://gw.example'],
      types: ['at+jwt'],
      scopes: ['mcp:tools'],
      scopeClaim: 'scp',
    };
    const scope = async (scp: unknown) =>
      (await verify(await accessToken({ scp }), { rules: { accessTokens } })).scope;
    expect(await scope(['mcp:tools', 'x'])).toBe('mcp:tools');
    expect(await scope('x mcp:tools')).toBe('mcp:tools');
    expect(await scope(7)).toBe('');
    expect(await scope(undefined)).toBe('');
  });
});

describe('ID tokens and access tokens', () => {
  it('are each taken as what they are', async () => {
    expect((await verify(await idToken(), { type: tokenTypes.idToken })).scope).toBe('mcp:tools');
    expect((await verify(await idToken({}, 'JWT'), { type: tokenTypes.idToken })).sub).toBe(
      `${issuer}#alice`,
    );
    expect((await verify(await accessToken(), { type: tokenTypes.jwt })).scope).toBe('mcp:tools');
  });

  it.each<[string, () => Promise<string>, string, Partial<SubjectRules>?]>([
    ['an ID token as an access token', () => idToken(), tokenTypes.accessToken],
    ['an ID token as a JWT', () => idToken(), tokenTypes.jwt],
    [
      'an ID token made out to our resource',
      () => idToken({ aud: 'https://gw.example' }),
      tokenTypes.accessToken,
    ],
    ['an access token as an ID token', () => accessToken(), tokenTypes.idToken],
    ['an access token made out to an app', () => accessToken({ aud: 'their-app' }), tokenTypes.idToken],
    ['a logout token as an ID token', () => idToken({ events: {} }), tokenTypes.idToken],
    ['an ID token for another party', () => idToken({ azp: 'other' }), tokenTypes.idToken],
    ['an ID token without iat', () => idToken({ iat: undefined }), tokenTypes.idToken],
    ['a token of a type that is not exchanged', () => accessToken(), tokenTypes.refreshToken],
    ['an ID token where none are trusted', () => idToken(), tokenTypes.idToken, { idTokens: undefined }],
    [
      'an access token where none are trusted',
      () => accessToken(),
      tokenTypes.accessToken,
      { accessTokens: undefined },
    ],
  ])('refuses %s', async (_title, make, type, rules = {}) => {
    expect(await code(verify(await make(), { type, rules }))).toBe('invalid_token');
  });
});

describe('trust in an issuer', () => {
  it('is for the clients it names, and nobody else makes us fetch its keys', async () => {
    const rules = { jwks: undefined, jwksUri: `${issuer}/jwks` };
    expect(await code(verify(await accessToken(), { clientId: 'other', rules }))).toBe('invalid_token');
    expect(await code(verify(await accessToken(), { rules }))).toBe('temporarily_unavailable');
  });

  it('does not reach to an issuer that is not configured', async () => {
    const stranger = { issuer: 'https://evil.example', tokenType: tokenTypes.jwt, clientId: 'gateway' };
    expect(await code(subjects().verify(await accessToken(), stranger))).toBe('invalid_token');
  });

  it('does not reach to tokens of others under its keys, or for others', async () => {
    expect(await code(verify(await accessToken({ iss: 'https://as.example' })))).toBe('invalid_token');
    expect(await code(verify(await accessToken({ aud: 'https://other.example' })))).toBe('invalid_token');
    expect(await code(verify(await accessToken({ exp: now() + 7200 })))).toBe('invalid_token');
  });

  it('can have a condition, which must come to true', async () => {
    const under =
      (text: string, claims: object = {}) =>
      async () =>
        code(verify(await accessToken(claims), { rules: { condition: compileCondition(text) } }));
    const domain = 'claims.hd == "example.com" && client == "gateway"';
    expect(await under(domain, { hd: 'example.com' })()).toBe('accepted');
    expect(await under(domain, { hd: 'evil.example' })()).toBe('invalid_token');
    expect(await under(domain)()).toBe('invalid_token');
    expect(await under('claims.hd', { hd: 'true' })()).toBe('invalid_token');
    expect(await under('claims.level > 2', { level: 'high' })()).toBe('invalid_token');
  });

  it.each(['claims.', '1 + 1', 'unknown == 1', '"a" == 1'])(
    'refuses the condition %j when it starts',
    (text) => {
      expect(() => compileCondition(text)).toThrow();
    },
  );
});
