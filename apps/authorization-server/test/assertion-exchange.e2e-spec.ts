import { jest } from '@jest/globals';
import { createSecretKey } from 'node:crypto';
import type { EvaluationDecision } from '@behalf/contracts';
import { type Decide, startAssertionExchange, ways } from './assertion-exchange.fixture.js';
import type { BothWays, TokenRequest } from './both-ways.js';
import { agentId, type KeyPair, keyPair, type TestAgents } from './test-agents.js';
import { basic } from './test-server.js';

const hour = 3600;

describe('an exchange by private_key_jwt', () => {
  let agents: TestAgents;
  let both: BothWays;
  let policy: { decide: Decide };
  let ask: Awaited<ReturnType<typeof startAssertionExchange>>['ask'];
  let foreign: KeyPair;
  beforeAll(async () => {
    ({ agents, both, policy, ask } = await startAssertionExchange());
    foreign = await keyPair('k');
    // The first request of an agent is the library's: nobody has looked it up yet.
    expect((await ask(await agents.assertion(), 'library')).answer.status).toBe(200);
  });
  afterAll(() => agents.close());
  beforeEach(() => {
    policy.decide = async () => ({ decision: true, context: { id: 'd' } });
  });

  type Sign = typeof TestAgents.prototype.assertion;
  type Make = (sign: Sign, now: number, issuer: string) => Promise<string>;

  it.each<[string, Make, Partial<TokenRequest>?]>([
    ['a plain one', (sign) => sign()],
    ['no iat', (sign) => sign({ iat: undefined })],
    ['no kid', (sign) => sign({}, { header: { kid: undefined } })],
    ['a typ of its own', (sign) => sign({}, { header: { typ: 'client-authentication+jwt' } })],
    ['the issuer in a list', (sign, _now, issuer) => sign({ aud: [issuer] })],
    ['the longest life there is', (sign, now) => sign({ exp: now + 300 })],
    ['a clock that is behind', (sign, now) => sign({ iat: now - 20, exp: now - 10 })],
    ['a clock that is ahead', (sign, now) => sign({ iat: now + 10, nbf: now + 10 })],
    ['keys named in its header', (sign) => sign({}, { header: { jku: 'https://evil.example/jwks' } })],
    ['its client named beside it', (sign) => sign(), { form: { client_id: agentId } }],
    ['parameters that are empty', (sign) => sign(), { form: { client_secret: '', scope: '' } }],
  ])('RFC 7523 §3: with %s is answered as the library would', async (_title, make, changes = {}) => {
    const { clock, issuer } = agents.server;
    const sign = agents.assertion.bind(agents);
    const answers = [];
    for (const way of ways)
      answers.push(await ask(await make(sign, Math.floor(clock.nowMs() / 1000), issuer), way, changes));
    const [ours, librarys] = answers;
    expect(ours?.answer.status).toBe(200);
    expect([ours?.answer, ours?.records]).toEqual([librarys?.answer, librarys?.records]);
    expect([ours?.servedByLibrary, librarys?.servedByLibrary]).toEqual([0, 1]);
  });

  const unsigned = async (sign: Sign, alg: string): Promise<string> => {
    const [, payload = ''] = (await sign()).split('.');
    return `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.`;
  };
  const overPublicKey = (): Uint8Array =>
    createSecretKey(Buffer.from(JSON.stringify(agents.key.publicJwk))).export();

  it.each<[string, number, Make, Partial<TokenRequest>?]>([
    ['aud is the token endpoint', 401, (sign, _now, issuer) => sign({ aud: `${issuer}/token` })],
    ['aud is several', 401, (sign, _now, issuer) => sign({ aud: [issuer, 'https://other.example'] })],
    ['aud is the issuer twice', 401, (sign, _now, issuer) => sign({ aud: [issuer, issuer] })],
    ['aud is another issuer', 401, (sign) => sign({ aud: 'https://other.example' })],
    ['aud is the issuer with a slash', 401, (sign, _now, issuer) => sign({ aud: `${issuer}/` })],
    ['aud is not there', 401, (sign) => sign({ aud: undefined })],
    ['it has expired', 401, (sign, now) => sign({ iat: now - 120, exp: now - 60 })],
    ['it was made an hour ago', 401, (sign, now) => sign({ iat: now - hour })],
    ['it is good for an hour', 401, (sign, now) => sign({ exp: now + hour })],
    ['it never expires', 401, (sign) => sign({ exp: undefined })],
    ['exp is a text', 401, (sign, now) => sign({ exp: String(now + 60) })],
    ['iat is in the future', 401, (sign, now) => sign({ iat: now + 60 })],
    ['iat is a text', 401, (sign, now) => sign({ iat: String(now) })],
    ['it is not good yet', 401, (sign, now) => sign({ nbf: now + hour })],
    ['jti is not there', 401, (sign) => sign({ jti: undefined })],
    ['jti is empty', 401, (sign) => sign({ jti: '' })],
    ['jti is a number', 401, (sign) => sign({ jti: 7 })],
    ['iss is somebody else', 401, (sign) => sign({ iss: 'gateway' })],
    ['iss is not there', 401, (sign) => sign({ iss: undefined })],
    ['sub is somebody else', 401, (sign) => sign({ sub: 'gateway' })],
    ['sub is not there', 401, (sign) => sign({ sub: undefined })],
    ['another key signed it', 401, (sign) => sign({}, { key: foreign.privateKey })],
    [
      'another key signed it and came with it',
      401,
      (sign) => sign({}, { key: foreign.privateKey, header: { jwk: foreign.publicJwk } }),
    ],
    ['its kid is no key of the agent', 401, (sign) => sign({}, { header: { kid: 'x' } })],
    ['its kid is a path', 401, (sign) => sign({}, { header: { kid: '../../dev/null' } })],
    ['its kid is empty', 401, (sign) => sign({}, { header: { kid: '' } })],
    [
      'it is HS256 over the public key',
      401,
      (sign) => sign({}, { key: overPublicKey(), header: { alg: 'HS256' } }),
    ],
    ['it is signed by nothing', 401, (sign) => unsigned(sign, 'none')],
    ['it is signed by Nothing', 401, (sign) => unsigned(sign, 'nOnE')],
    ['its signature was cut', 401, async (sign) => (await sign()).slice(0, -4)],
    ['its signature has a part more', 400, async (sign) => `${await sign()}.x`],
    ['it is no JWT', 400, async () => 'x'],
    ['another client is named beside it', 400, (sign) => sign(), { form: { client_id: 'gateway' } }],
    ['a secret is beside it', 400, (sign) => sign(), { form: { client_secret: 'x' } }],
    [
      'a secret is in the header',
      400,
      (sign) => sign(),
      { headers: { authorization: basic('gateway', 'gateway-secret') } },
    ],
    ['its type is not said', 400, (sign) => sign(), { form: { client_assertion_type: undefined } }],
    ['its type is another', 400, (sign) => sign(), { form: { client_assertion_type: 'urn:x' } }],
    ['its type is said twice', 400, (sign) => sign(), { form: { client_assertion_type: ['a', 'b'] } }],
  ])(
    'RFC 7523 §3: is refused as the library refuses it where %s',
    async (_title, status, make, changes = {}) => {
      const { clock, issuer } = agents.server;
      const assertion = await make(agents.assertion.bind(agents), Math.floor(clock.nowMs() / 1000), issuer);
      const [ours, librarys] = [
        await ask(assertion, 'short', changes),
        await ask(assertion, 'library', changes),
      ];
      expect([ours.answer, ours.records]).toEqual([librarys.answer, librarys.records]);
      expect(ours.answer.status).toBe(status);
      expect(ours.answer.body['error']).toBe(status === 401 ? 'invalid_client' : 'invalid_request');
      // An assertion that was refused was not used: whoever could not sign one cannot use one up.
      if (Object.keys(changes).length > 0) {
        expect((await ask(assertion, 'short')).answer.status).toBe(200);
      }
    },
  );

  it.each(ways)(
    'RFC 7523 §3 rule 7: is refused where its assertion was used before (%s first)',
    async (first) => {
      const assertion = await agents.assertion();
      expect((await ask(assertion, first)).answer.status).toBe(200);
      const [ours, librarys] = [await ask(assertion, 'short'), await ask(assertion, 'library')];
      expect(ours.answer).toEqual(librarys.answer);
      expect([ours.answer.status, ours.answer.body['error']]).toEqual([401, 'invalid_client']);
    },
  );

  it('RFC 7523 §3 rule 7: of twenty with one assertion, by both ways at once, one is answered', async () => {
    const assertion = await agents.assertion();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => ask(assertion, ways[nth % 2] ?? 'short')),
    );
    const statuses = all.map(({ answer }) => answer.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(19);
  });

  it.each<[string, Partial<TokenRequest>, number, string]>([
    ['a target that nobody knows', { form: { resource: 'https://nobody.example' } }, 400, 'invalid_target'],
    ['more than its ceiling', { form: { scope: 'files:write' } }, 400, 'invalid_scope'],
    ['a subject token that is none', { form: { subject_token: 'x' } }, 400, 'invalid_request'],
    ['a subject token twice', { form: { subject_token: ['a', 'b'] } }, 400, 'invalid_request'],
    [
      'details that are no JSON',
      { form: { authorization_details: '{' } },
      400,
      'invalid_authorization_details',
    ],
  ])(
    'that asks for %s is told so, recorded once, and its assertion is used up',
    async (_title, changes, status, error) => {
      const claim = jest.spyOn(agents.server.oneTime, 'claim');
      const answers = [];
      for (const way of ways) {
        const assertion = await agents.assertion();
        claim.mockClear();
        answers.push(await ask(assertion, way, changes));
        expect(claim.mock.calls.filter(([purpose]) => purpose === 'jti')).toHaveLength(1);
        for (const again of ways) expect((await ask(assertion, again)).answer.status).toBe(401);
      }
      claim.mockRestore();
      const [ours, librarys] = answers;
      expect([ours?.answer, ours?.records]).toEqual([librarys?.answer, librarys?.records]);
      expect([ours?.answer.status, ours?.answer.body['error']]).toEqual([status, error]);
      expect(ours?.records.length).toBeLessThanOrEqual(1);
    },
  );

  it('that is about to be refused lends its assertion to nobody', async () => {
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let answer: ((decision: EvaluationDecision) => void) | undefined;
    policy.decide = () => {
      asked();
      return new Promise((resolve) => (answer = resolve));
    };
    const assertion = await agents.assertion();
    const first = ask(assertion, 'short');
    await isAsked;
    for (const way of ways) expect((await ask(assertion, way)).answer.status).toBe(401);
    answer?.({ decision: false });
    const refused = await first;
    expect([refused.answer.status, refused.answer.body['error']]).toEqual([400, 'invalid_target']);
    for (const way of ways) expect((await ask(assertion, way)).answer.status).toBe(401);
  });

  it('is told to come back while it cannot be known whether its assertion was used', async () => {
    const claim = jest.spyOn(agents.server.oneTime, 'claim');
    const answers = [];
    for (const way of ways) {
      claim.mockReset();
      claim.mockRejectedValueOnce(new Error('down'));
      answers.push((await ask(await agents.assertion(), way)).answer);
      expect(claim).toHaveBeenCalledTimes(1);
    }
    claim.mockRestore();
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.status).toBe(503);
    expect(answers[0]?.headers['retry-after']).toBe('2');
  });

  it('is refused at once to an agent that is suspended, and answered when it may act again', async () => {
    await agents.change('suspend');
    const answers = [];
    for (const way of ways) answers.push((await ask(await agents.assertion(), way)).answer);
    expect(answers[0]).toEqual(answers[1]);
    expect([answers[0]?.status, answers[0]?.body['error']]).toEqual([401, 'invalid_client']);
    await agents.change('resume');
    expect(await ask(await agents.assertion(), 'short')).toMatchObject({
      answer: { status: 200 },
      servedByLibrary: 0,
    });
  });

  it('goes by the keys that the agent has now', async () => {
    const next = await keyPair('next');
    const path = `/agents/${encodeURIComponent(agentId)}/keys`;
    const byNext = () => agents.assertion({}, { key: next.privateKey, header: { kid: 'next' } });
    for (const way of ways) expect((await ask(await byNext(), way)).answer.status).toBe(401);
    await agents.admin('POST', path, { key: next.publicJwk });
    expect(await ask(await byNext(), 'short')).toMatchObject({ answer: { status: 200 }, servedByLibrary: 0 });
    // Which of two keys is meant, the library finds out.
    const nameless = await agents.assertion({}, { header: { kid: undefined } });
    expect(await ask(nameless, 'short')).toMatchObject({ answer: { status: 200 }, servedByLibrary: 1 });
    await agents.admin('DELETE', `${path}/next`);
    for (const way of ways) expect((await ask(await byNext(), way)).answer.status).toBe(401);
  });

  it('with a DPoP proof beside it is left to the library', async () => {
    const { answer, servedByLibrary } = await ask(await agents.assertion(), 'short', {
      headers: { dpop: 'x' },
    });
    expect([answer.status, answer.body['error'], servedByLibrary]).toEqual([400, 'invalid_dpop_proof', 1]);
    expect(both.servedByLibrary).toBeGreaterThan(0);
  });
});
