import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  now,
  parameters,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import { explainExchange } from './explain-exchange.js';
import type { ExchangeParameters, RequestingClient, TokenClaims } from './ports.js';

function explain(
  changes: ExchangeParameters = {},
  client: RequestingClient = gatewayClient,
  subject: Partial<TokenClaims> = {},
) {
  const fixture = exchangeFixture({ subject: subjectClaims(subject) });
  const explaining = explainExchange(
    { client, parameters: { ...parameters, ...changes }, nowSeconds: now },
    fixture.dependencies,
  );
  return { ...fixture, explaining };
}

describe('explainExchange', () => {
  it('says what would be signed, but for its id, and signs nothing', async () => {
    const { explaining, dependencies, recorded } = explain({ scope: 'mcp:tools' }, gatewayClient, {
      act: { sub: 'agent' },
    });
    dependencies.signer.sign = async () => Promise.reject(new Error('signed'));
    const { token, ...rest } = await explaining;
    expect(rest).toMatchObject({
      outcome: 'minted',
      client: 'gateway',
      person: 'alice',
      profile: 'delegation',
      actors: ['gateway', 'agent'],
      audiences: [upstreamResource],
      decisionId: 'decision-1',
    });
    expect(token).toMatchObject({
      typ: 'at+jwt',
      tokenType: 'Bearer',
      expiresIn: 300,
      claims: { sub: 'alice' },
    });
    expect(token?.claims).not.toHaveProperty('jti');
    expect(recorded).toMatchObject([{ type: 'exchange-explanation', outcome: 'allowed', person: 'alice' }]);
  });

  it('says which term of the intersection removed which scope', async () => {
    const client = clientWith({ scopes: ['mcp:tools', 'mail:send'] });
    const { scope } = await explain({}, client, { scope: 'mcp:tools files:write calendar' }).explaining;
    expect(scope).toEqual({
      terms: [
        { term: 'subject token', scopes: ['mcp:tools', 'files:write', 'calendar'] },
        { term: 'ceiling', scopes: ['mcp:tools', 'mail:send'] },
        { term: `target ${upstreamResource}`, scopes: ['mcp:tools', 'files:write'] },
      ],
      left: ['mcp:tools'],
      removed: [
        { scope: 'files:write', by: ['ceiling'] },
        { scope: 'calendar', by: ['ceiling', `target ${upstreamResource}`] },
        { scope: 'mail:send', by: ['subject token', `target ${upstreamResource}`] },
      ],
    });
  });

  it('RFC 6749 §3.3: reads what was requested value by value, however it is spaced', async () => {
    const { scope } = await explain({ scope: ' mcp:tools  files:write ' }).explaining;
    expect(scope?.terms).toContainEqual({ term: 'request', scopes: ['mcp:tools', 'files:write'] });
  });

  it('says by which rule it would be refused, where that is written, and with which error', async () => {
    const { explaining, recorded } = explain({ scope: 'mcp:tools mail:send' });
    expect(await explaining).toMatchObject({
      outcome: 'refused',
      refusal: {
        reason: 'scope_beyond_authority',
        rule: 'Scope only narrows.',
        see: 'RFC 8693 §2.1 (scope)',
        error: 'invalid_scope',
      },
      scope: {
        removed: expect.arrayContaining([
          { scope: 'mail:send', by: expect.any(Array) as string[] },
        ]) as object[],
      },
    });
    expect(recorded).toMatchObject([{ type: 'exchange-explanation', outcome: 'refused' }]);
  });

  it('tells no more of a token that does not verify than its holder could learn by presenting it', async () => {
    const { explaining } = explain({ subject_token: 'forged' });
    expect(await explaining).toStrictEqual({
      outcome: 'refused',
      client: 'gateway',
      actors: [],
      audiences: [],
      refusal: {
        reason: 'subject_token_invalid',
        rule: expect.any(String) as string,
        see: 'RFC 8693 §2.1, RFC 9068 §4',
        error: 'invalid_request',
        description: 'subject_token is not acceptable',
      },
    });
  });

  it('asks no person for a delegation, and says that one would be asked', async () => {
    const fixture = exchangeFixture();
    const { findTarget } = fixture.dependencies;
    Object.assign(fixture.dependencies, {
      findTarget: (id: string) => {
        const target = findTarget(id);
        return target && { ...target, delegation: 'grant' };
      },
      findDelegationGrant: async () => undefined,
      requestDelegation: async () => Promise.reject(new Error('asked')),
    });
    const request = { client: gatewayClient, parameters, nowSeconds: now };
    expect(await explainExchange(request, fixture.dependencies)).toMatchObject({
      refusal: { reason: 'delegation_missing', error: 'interaction_required' },
    });
  });

  it('names the delegation grant among the terms', async () => {
    const fixture = exchangeFixture();
    const { findTarget } = fixture.dependencies;
    Object.assign(fixture.dependencies, {
      findTarget: (id: string) => {
        const target = findTarget(id);
        return target && { ...target, delegation: 'grant' };
      },
      findDelegationGrant: async () => ({
        id: 'd-1',
        scopes: ['mcp:tools'],
        authorizationDetails: [],
        expiresAtSeconds: now + 60,
      }),
    });
    const { scope } = await explainExchange(
      { client: gatewayClient, parameters, nowSeconds: now },
      fixture.dependencies,
    );
    expect(scope?.removed).toContainEqual({ scope: 'files:write', by: ['delegation grant d-1'] });
    expect(scope?.terms).toContainEqual({ term: 'delegation grant d-1', scopes: ['mcp:tools'] });
  });

  it('is refused when it cannot be recorded, and lets faults of ours through', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.audit.append = async () => Promise.reject(new Error('disk full'));
    const request = { client: gatewayClient, parameters, nowSeconds: now };
    await expect(explainExchange(request, fixture.dependencies)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    fixture.dependencies.newId = () => {
      throw new TypeError('broken');
    };
    await expect(explainExchange(request, fixture.dependencies)).rejects.toBeInstanceOf(TypeError);
  });
});
