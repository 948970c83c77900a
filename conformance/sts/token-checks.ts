import { createRemoteJWKSet, jwtVerify } from 'jose';
import { type Check, claimsOf, ensure, headerOf, issued, refused, same } from './check.ts';

/** What the issued access token looks like, and which resources it can be for. */
export const tokenChecks: Check[] = [
  {
    id: 'metadata-issuer',
    spec: 'RFC 8414 §3.3',
    title: 'the issuer of the metadata is the one that was asked',
    run: async (sts) => same(sts.metadata['issuer'], sts.config.issuer, 'issuer'),
  },
  {
    id: 'metadata-grant',
    spec: 'RFC 8414 §2',
    title: 'the grant is listed',
    async run(sts) {
      const grants = sts.metadata['grant_types_supported'];
      ensure(
        Array.isArray(grants) && grants.includes('urn:ietf:params:oauth:grant-type:token-exchange'),
        'grant_types_supported does not have it',
      );
    },
  },
  {
    id: 'token-typ',
    spec: 'RFC 9068 §2.1',
    title: 'the header says at+jwt, and an asymmetric alg',
    async run(sts) {
      const { typ, alg } = headerOf(issued(await sts.exchange()));
      ensure(/^(?:application\/)?at\+jwt$/i.test(typ ?? ''), `typ is ${typ}`);
      ensure(!/^(?:none|HS)/i.test(alg ?? 'none'), `alg is ${alg}`);
    },
  },
  {
    id: 'token-claims',
    spec: 'RFC 9068 §2.2',
    title: 'iss, exp, aud, sub, client_id, iat and jti are there',
    async run(sts) {
      const claims = claimsOf(issued(await sts.exchange()));
      const missing = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'].filter(
        (name) => claims[name] === undefined,
      );
      same(missing, [], 'what is missing');
      same(claims.iss, sts.config.issuer, 'iss');
    },
  },
  {
    id: 'token-signature',
    spec: 'RFC 9068 §4',
    title: 'the signature verifies with the keys at jwks_uri',
    async run(sts) {
      const keys = createRemoteJWKSet(new URL(String(sts.metadata['jwks_uri'])));
      await jwtVerify(issued(await sts.exchange()), keys, { issuer: sts.config.issuer });
    },
  },
  {
    id: 'token-client',
    spec: 'RFC 9068 §2.2',
    title: 'client_id is the client that asked',
    run: async (sts) =>
      same(
        claimsOf(issued(await sts.exchange()))['client_id'],
        sts.config.clients.exchanger.clientId,
        'client_id',
      ),
  },
  {
    id: 'token-jti',
    spec: 'RFC 9068 §2.2',
    title: 'jti is that of no other token',
    async run(sts) {
      const subject = await sts.subjectToken();
      const token = issued(await sts.exchange({ subject_token: subject }));
      ensure(claimsOf(token).jti !== claimsOf(subject).jti, 'it is that of the subject token');
    },
  },
  {
    id: 'resource-audience',
    spec: 'RFC 8707 §2.2',
    title: 'aud is the target that was asked for, and nothing else',
    async run(sts) {
      const { resource, audience } = sts.config.exchange.target;
      same([claimsOf(issued(await sts.exchange())).aud].flat(), [resource ?? audience], 'aud');
    },
  },
  ...(
    [
      ['resource-unknown', 'an unknown resource', 'https://unknown.resource.example/'],
      ['resource-relative', 'a resource that is no absolute URI', '/relative'],
    ] as const
  ).map(([id, title, resource]): Check => ({
    id,
    spec: 'RFC 8707 §2',
    title: `${title} is invalid_target`,
    run: async (sts) => refused(await sts.exchange({ resource, audience: undefined }), 'invalid_target'),
  })),
  {
    id: 'resource-fragment',
    spec: 'RFC 8707 §2',
    title: 'a resource with a fragment is invalid_target',
    needs: ({ exchange }) => exchange.target.resource,
    async run(sts) {
      const resource = `${sts.config.exchange.target.resource}#fragment`;
      refused(await sts.exchange({ resource, audience: undefined }), 'invalid_target');
    },
  },
];
