import { createPublicKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWK, SignJWT } from 'jose';
import { keyPair, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, files } from './test-server.js';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('attacks on the exchange', () => {
  let agents: TestAgents;
  let subject: string;
  beforeAll(async () => {
    agents = await TestAgents.start();
    await agents.create();
    subject = await agents.personToken();
  });
  afterAll(() => agents.close());

  const reason = (): unknown => agents.server.audit.at(-1)?.details?.['reason'];
  const outcome = async (token: string): Promise<[string, unknown]> => {
    const { status, body } = await agents.exchange(token);
    return [status === 200 ? 'issued' : String(body.error), reason()];
  };

  /** Tokens that say what the real one says, made by somebody who has no key of ours. */
  const forgeries: [string, () => Promise<string>][] = [
    ['alg none', async () => `${part({ alg: 'none', typ: 'at+jwt' })}.${subject.split('.')[1]}.`],
    ['alg nOnE', async () => `${part({ alg: 'nOnE', typ: 'at+jwt' })}.${subject.split('.')[1]}.`],
    [
      'algorithm confusion: HS256 with our public key as the secret',
      async () => {
        const { keys } = (await (await fetch(`${agents.server.issuer}/jwks`)).json()) as { keys: JWK[] };
        const key = keys.find(({ kid }) => kid === decodeProtectedHeader(subject).kid);
        const pem = createPublicKey({ key: key as never, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
        return new SignJWT(decodeJwt(subject))
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: key!.kid! })
          .sign(Buffer.from(pem));
      },
    ],
    ['a foreign key under our kid', () => forge({})],
    ['kid injection: a path', () => forge({ kid: '../../../../dev/null' })],
    ['kid injection: SQL', () => forge({ kid: "x' OR '1'='1" })],
    ['a key of its own in jwk', () => forge({ kid: 'mine' }, true)],
    ['a key of its own at jku', () => forge({ kid: 'mine', jku: 'https://evil.example/jwks' })],
    ['a key of its own at x5u', () => forge({ kid: 'mine', x5u: 'https://evil.example/cert' })],
    ['chain grafting: an actor put into a real token', async () => graft({ act: { sub: 'gateway' } })],
    ['scope put into a real token', async () => graft({ scope: 'mcp:tools files:write admin' })],
    ['another person put into a real token', async () => graft({ sub: 'bob' })],
  ];

  async function forge(header: object, withJwk = false): Promise<string> {
    const { privateKey, publicJwk } = await keyPair('mine');
    return new SignJWT(decodeJwt(subject))
      .setProtectedHeader({
        ...decodeProtectedHeader(subject),
        alg: 'ES256',
        ...header,
        ...(withJwk && { jwk: publicJwk }),
      })
      .sign(privateKey);
  }

  function graft(claims: object): string {
    const [header, payload, signature] = subject.split('.');
    const claimsNow = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
    return [header, part({ ...claimsNow, ...claims }), signature].join('.');
  }

  it.each(forgeries)('%s', async (_title, make) => {
    expect(await outcome(await make())).toEqual(['invalid_request', 'subject_token_invalid']);
  });

  it('confused deputy: a client takes the token that was sent to another', async () => {
    const { body } = await agents.server.token(
      {
        grant_type: tokenExchange,
        subject_token: subject,
        subject_token_type: accessTokenType,
        resource: upstream,
      },
      basic('gateway', 'gateway-secret'),
    );
    expect([body.error, reason()]).toEqual(['invalid_request', 'subject_token_not_for_client']);
  });

  it('token for another audience: an agent takes one that is not addressed to it', async () => {
    const { access_token: other } = await agents.server.signIn({ resource: files });
    expect(await outcome(other)).toEqual(['invalid_request', 'subject_token_not_for_client']);
  });

  it('duplicate parameters: nobody can say one thing to a proxy and another to us', async () => {
    for (const name of [
      'subject_token',
      'subject_token_type',
      'scope',
      'requested_token_type',
      'requested_actor',
    ]) {
      const form = new URLSearchParams({
        grant_type: tokenExchange,
        subject_token: subject,
        subject_token_type: accessTokenType,
        resource: upstream,
        scope: 'mcp:tools',
      });
      form.append(name, form.get(name) ?? 'x');
      form.append(name, form.get(name) ?? 'x');
      const answer = await fetch(`${agents.server.issuer}/token`, {
        method: 'POST',
        headers: { authorization: basic('gateway', 'gateway-secret') },
        body: form,
      });
      expect([name, answer.status, await answer.json()]).toMatchObject([
        name,
        400,
        { error: 'invalid_request' },
      ]);
    }
  });

  it.each([
    'MCP:tools',
    'mcp:tools\u00a0files:write',
    'mcp:tools\tfiles:write',
    'mcp:tool\u0455',
    'mcp:tools*',
  ])('scope smuggling: %j', async (scope) => {
    const { body } = await agents.exchange(subject, { scope });
    expect(body.error).toBe('invalid_scope');
  });

  it('the token of an agent for itself is no person’s', async () => {
    const { body } = await agents.own({ resource: files });
    expect(await outcome(body.access_token)).toEqual(['invalid_request', 'subject_is_no_person']);
  });

  it('suspended agent in mid-chain: what it handed on is worth nothing from then on', async () => {
    const { body } = await agents.exchange(subject);
    expect((await agents.exchangeAtGateway(body.access_token)).status).toBe(200);
    await agents.change('suspend');
    expect((await agents.exchangeAtGateway(body.access_token)).body.error).toBe('invalid_request');
    expect(reason()).toBe('subject_token_invalid');
    await agents.change('resume');
    expect((await agents.exchangeAtGateway(body.access_token)).body.error).toBe('invalid_request');
  });
});
