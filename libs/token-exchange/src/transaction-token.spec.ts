import { tokenTypes } from '@behalf/oauth';
import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  issuer,
  now,
  subjectClaims,
  trustDomain,
} from './exchange.fixture.js';
import type { ExchangeParameters, TransactionTokenClaims } from './ports.js';

const workload = clientWith({ audiences: [trustDomain] });
const digest = `sha-256:${'a'.repeat(43)}`;
const withDigest = (value: string): ExchangeParameters => ({
  request_details: JSON.stringify({ arguments_digest: value }),
});
const request: ExchangeParameters = {
  requested_token_type: tokenTypes.transactionToken,
  resource: undefined,
  audience: trustDomain,
  scope: 'mcp:tools',
  request_details: JSON.stringify({ tool: 'write_file', arguments_digest: digest }),
  request_context: JSON.stringify({ req_ip: '192.0.2.1' }),
};
const replacing: ExchangeParameters = {
  ...request,
  subject_token: 'before',
  subject_token_type: tokenTypes.transactionToken,
  request_details: undefined,
  request_context: undefined,
};

async function mint(
  changes: ExchangeParameters = {},
  subject = subjectClaims({ act: { sub: 'agent' } }),
): Promise<TransactionTokenClaims> {
  const fixture = exchangeFixture({ subject });
  return (await fixture.issued({ ...request, ...changes }, workload)) as never;
}

async function replace(
  before: TransactionTokenClaims,
  changes: ExchangeParameters = {},
  clientId = 'next',
): Promise<TransactionTokenClaims> {
  const fixture = exchangeFixture({ before });
  fixture.dependencies.newId = () => `${clientId}-jti`;
  const issued = await fixture.issued({ ...replacing, ...changes }, { ...workload, clientId });
  return issued as never;
}

describe('a transaction token', () => {
  it('says who asks, what is done by which agent for whom, and where it came from', async () => {
    expect(await mint()).toEqual({
      typ: 'txntoken+jwt',
      iss: issuer,
      aud: trustDomain,
      sub: 'alice',
      act: { sub: 'agent' },
      txn: 'txn-1',
      scope: 'mcp:tools',
      client_id: 'gateway',
      req_wl: 'gateway',
      iat: now,
      exp: now + 30,
      jti: 'id-1',
      tctx: { tool: 'write_file', arguments_digest: digest },
      rctx: { req_ip: '192.0.2.1', call_chain: [] },
      agentic_ctx: { agent: 'agent' },
      lineage: ['root-jti'],
      grant_id: 'grant-1',
      sid: 'session-1',
      groups: ['eng'],
    });
  });

  it('is answered as what it is: no access token', async () => {
    const answer = await exchangeFixture().exchange(request, workload);
    expect(answer).toMatchObject({
      issued_token_type: tokenTypes.transactionToken,
      token_type: 'N_A',
      expires_in: 30,
      scope: 'mcp:tools',
    });
  });

  it('asks policy with the requesting workload at the head of the chain', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ act: { sub: 'agent' } }) });
    await fixture.exchange(request, workload);
    expect(fixture.asked).toStrictEqual([
      {
        subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
        action: { name: 'exchange' },
        resource: { type: 'audience', id: trustDomain },
        context: {
          actors: [{ sub: 'gateway' }, { sub: 'agent' }],
          client_id: 'gateway',
          scope: 'mcp:tools',
          aud: gatewayResource,
        },
      },
    ]);
    expect(fixture.recorded).toMatchObject([{ details: { audience: trustDomain } }]);
    fixture.dependencies.decide = async () => ({ decision: false });
    await expect(fixture.exchange(request, workload)).rejects.toMatchObject({ code: 'invalid_target' });
  });

  it('lives no longer than its subject token, and no longer than the client’s tokens may', async () => {
    expect((await mint({}, subjectClaims({ exp: now + 5 }))).exp).toBe(now + 5);
    const short = clientWith({ audiences: [trustDomain], maxLifetimeSeconds: 7 });
    expect((await exchangeFixture().issued(request, short)).exp).toBe(now + 7);
  });

  it('takes proof of the key of a bound subject token', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ cnf: { jkt: 'k' } }) });
    await expect(fixture.exchange(request, workload)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await fixture.issued(request, workload, { jkt: 'k' })).not.toHaveProperty('cnf');
  });

  it('has no member that says nothing', async () => {
    const fixture = exchangeFixture();
    const signed: Record<string, unknown>[] = [];
    fixture.dependencies.signer = {
      sign: async (claims) => {
        signed.push(claims);
        return 'token';
      },
    };
    await fixture.exchange(request, workload);
    expect(signed[0]).not.toHaveProperty('act');
    expect(signed[0]?.['agentic_ctx']).toStrictEqual({ agent: 'editor' });
  });

  it('takes 4 KB about itself, and not a byte more', async () => {
    const details = (bytes: number) => ({ request_details: '{"tool":"t"}'.padEnd(bytes) });
    expect((await mint(details(4096))).tctx).toEqual({ tool: 't' });
    await expect(mint(details(4097))).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each(['request_details', 'request_context'])('says that it is %s that is malformed', async (name) => {
    await expect(mint({ [name]: '[]' })).rejects.toMatchObject({ description: `${name} is malformed` });
  });

  it.each<[string, ExchangeParameters]>([
    ['target_missing', { audience: undefined }],
    ['several_targets', { resource: trustDomain, audience: 'https://files.example/mcp' }],
    ['target_unknown', { audience: 'other.example' }],
  ])('is for its trust domain alone: %s', async (reason, changes) => {
    const fixture = exchangeFixture();
    await expect(fixture.exchange({ ...request, ...changes }, workload)).rejects.toMatchObject({
      code: 'invalid_target',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason } }]);
  });

  it('can be for an intent, in the words of the agent', async () => {
    const details = JSON.stringify({ tool: 't', intent: 'tidy up' });
    expect((await mint({ request_details: details })).agentic_ctx).toEqual({
      agent: 'agent',
      intent: 'tidy up',
    });
    expect((await mint({}, subjectClaims())).agentic_ctx).toEqual({ agent: 'editor' });
  });

  it.each<[string, string, ExchangeParameters]>([
    ['no audience', 'invalid_target', { audience: undefined }],
    ['another trust domain', 'invalid_target', { audience: 'other.example' }],
    ['a resource besides', 'invalid_target', { resource: 'https://files.example/mcp' }],
    ['more scope than the subject token has', 'invalid_scope', { scope: 'mail:send' }],
    ['details that are no object', 'invalid_request', { request_details: '[]' }],
    ['details that are no JSON', 'invalid_request', { request_details: '{' }],
    ['arguments themselves', 'invalid_request', { request_details: '{"arguments":{"to":"bob"}}' }],
    ['a malformed digest', 'invalid_request', { request_details: '{"arguments_digest":"abc"}' }],
    ['a digest with more behind it', 'invalid_request', withDigest(`${digest}a`)],
    ['a digest with more before it', 'invalid_request', withDigest(`x${digest}`)],
    ['a call chain of its own', 'invalid_request', { request_context: '{"call_chain":["x"]}' }],
    ['no address', 'invalid_request', { request_context: '{"req_ip":"alice"}' }],
    ['far too much', 'invalid_request', { request_details: JSON.stringify({ tool: 'x'.repeat(5000) }) }],
  ])('is refused for %s, with %s', async (_title, code, changes) => {
    await expect(mint(changes)).rejects.toMatchObject({ code });
  });

  it('is refused for an unknown scope: that of an ID token', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.verifyIdToken = async () => subjectClaims({ client_id: 'gateway', scope: '' });
    await expect(
      fixture.exchange({ ...request, scope: undefined, subject_token_type: tokenTypes.idToken }, workload),
    ).rejects.toMatchObject({ code: 'invalid_scope' });
  });

  it('is refused to a client whose ceiling does not name the trust domain, and where there is none', async () => {
    await expect(exchangeFixture().exchange(request, gatewayClient)).rejects.toMatchObject({
      code: 'invalid_target',
    });
    const without = exchangeFixture();
    without.dependencies.transactionTokens = undefined;
    await expect(without.exchange(request, workload)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(without.exchange(replacing, workload)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a transaction token in the place of another', () => {
  it('keeps txn, sub, aud, act and what it is about, and names who asked before', async () => {
    const first = await mint();
    const second = await replace(first, { request_details: JSON.stringify({ server: 'files' }) });
    expect(second).toMatchObject({
      txn: 'txn-1',
      sub: 'alice',
      aud: trustDomain,
      act: { sub: 'agent' },
      req_wl: 'next',
      tctx: { tool: 'write_file', arguments_digest: digest, server: 'files' },
      rctx: { req_ip: '192.0.2.1', call_chain: ['gateway'] },
      agentic_ctx: { agent: 'agent' },
      lineage: ['root-jti', 'id-1'],
    });
    expect(second.exp).toBeLessThanOrEqual(first.exp);
    expect((await replace(second, {}, 'third')).rctx.call_chain).toEqual(['gateway', 'next']);
  });

  it('may say again what was said, as it was said', async () => {
    const first = await mint();
    const again = { request_details: JSON.stringify({ tool: 'write_file' }) };
    expect((await replace(first, again)).tctx).toEqual(first.tctx);
  });

  it('is refused after as many as there may be', async () => {
    const third = await replace(await replace(await mint()), {}, 'third');
    await expect(replace(third, {}, 'fourth')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each<[string, string, ExchangeParameters]>([
    ['tool', 'invalid_request', { request_details: '{"tool":"delete_file"}' }],
    ['arguments', 'invalid_request', { request_details: `{"arguments_digest":"sha-256:${'b'.repeat(43)}"}` }],
    ['origin', 'invalid_request', { request_context: '{"req_ip":"192.0.2.2"}' }],
    ['scope, to more', 'invalid_scope', { scope: 'mcp:tools files:write' }],
  ])('never changes its %s', async (_title, code, changes) => {
    await expect(replace(await mint(), changes)).rejects.toMatchObject({ code });
  });

  it('is not made for one that has expired, is invalid, or could not be checked', async () => {
    const first = await mint();
    await expect(replace({ ...first, exp: now })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(
      exchangeFixture().exchange({ ...replacing, subject_token: 'forged' }, workload),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('is the only thing a transaction token can be exchanged for: never an access token', async () => {
    const fixture = exchangeFixture({ before: await mint() });
    await expect(
      fixture.exchange({ ...replacing, requested_token_type: undefined }, workload),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'transaction_token_only_replaced' } }]);
  });
});
