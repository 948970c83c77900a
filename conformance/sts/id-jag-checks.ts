import { importJWK, type JWK, SignJWT } from 'jose';
import { type Check, claimsOf, ensure, issued, refused, same } from './check.ts';
import type { StsAnswer, StsClient } from './sts-client.ts';

const spec = 'MCP EMA §5.1';
const needs: Check['needs'] = ({ idJag }) => idJag;

/** Redeeming an ID-JAG of an identity provider that the kit plays, with a key that the service trusts. */
export const idJagChecks: Check[] = [
  {
    id: 'idjag-redeem',
    spec: 'MCP EMA §5',
    title: 'gives a token restricted to the resource, and no refresh token',
    needs,
    async run(sts) {
      const answer = await redeem(sts);
      same([claimsOf(issued(answer)).aud].flat(), [sts.config.idJag?.resource], 'aud');
      ensure(answer.body['refresh_token'] === undefined, 'there is a refresh_token');
    },
  },
  {
    id: 'idjag-replay',
    spec,
    title: 'a jti is taken once, of several at once one wins',
    needs,
    async run(sts) {
      const assertion = await sign(sts);
      const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(sts, assertion)));
      same(answers.filter(({ status }) => status === 200).length, 1, 'the number of successes');
      refused(await redeem(sts, assertion), 'invalid_grant');
    },
  },
  ...(
    [
      ['idjag-typ', 'another typ', {}, { typ: 'JWT' }],
      ['idjag-audience', 'another audience', { aud: 'https://elsewhere.example' }, {}],
      [
        'idjag-two-audiences',
        'two audiences',
        { aud: ['https://elsewhere.example', 'https://x.example'] },
        {},
      ],
      ['idjag-client', 'another client_id', { client_id: 'somebody-else' }, {}],
      ['idjag-no-client', 'no client_id', { client_id: undefined }, {}],
      ['idjag-expired', 'exp in the past', { iat: 1, exp: 2 }, {}],
      ['idjag-no-jti', 'no jti', { jti: undefined }, {}],
      ['idjag-issuer', 'an issuer that nobody trusts', { iss: 'https://evil.example' }, {}],
      ['idjag-resource', 'an unknown resource', { resource: 'https://unknown.resource.example/' }, {}],
    ] as const
  ).map(([id, title, claims, header]): Check => ({
    id,
    spec,
    title: `an assertion with ${title} is invalid_grant`,
    needs,
    run: async (sts) => refused(await redeem(sts, await sign(sts, claims, header)), 'invalid_grant'),
  })),
  {
    id: 'idjag-authentication',
    spec,
    title: 'the client has to authenticate',
    needs,
    async run(sts) {
      const form = { grant_type: jwtBearer, assertion: await sign(sts) };
      refused(
        await sts.ask(form, { client: null }),
        'invalid_client',
        'invalid_request',
        'unauthorized_client',
      );
    },
  },
];

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

async function redeem(sts: StsClient, assertion?: string): Promise<StsAnswer> {
  return sts.ask({ grant_type: jwtBearer, assertion: assertion ?? (await sign(sts)) });
}

async function sign(sts: StsClient, claims: object = {}, header: object = {}): Promise<string> {
  const { idJag, issuer, clients } = sts.config;
  if (!idJag) throw new Error('the configuration has no idJag');
  const jwk = idJag.privateJwk as JWK & { alg?: string; kid?: string };
  const alg = jwk.alg ?? 'ES256';
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: idJag.issuer,
    sub: idJag.subject,
    aud: issuer,
    client_id: clients.exchanger.clientId,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 120,
    resource: idJag.resource,
    ...(idJag.scope !== undefined && { scope: idJag.scope }),
    ...claims,
  };
  return new SignJWT(all)
    .setProtectedHeader({
      alg,
      ...(jwk.kid !== undefined && { kid: jwk.kid }),
      typ: 'oauth-id-jag+jwt',
      ...header,
    })
    .sign(await importJWK(jwk, alg));
}
