import { type Check, claimsOf, ensure, issued, refused, same } from './check.ts';
import { accessTokenType } from './sts-client.ts';

const spec = 'RFC 8693';
const scopes = (text: unknown): string[] => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []);
const flip = (token: string): string => {
  const [header, payload, signature = ''] = token.split('.');
  const middle = Math.floor(signature.length / 2);
  const other = signature[middle] === 'A' ? 'B' : 'A';
  return [header, payload, signature.slice(0, middle) + other + signature.slice(middle + 1)].join('.');
};

/** What a person's token becomes, and what it never becomes. */
export const exchangeChecks: Check[] = [
  {
    id: 'exchange-response',
    spec: `${spec} §2.2.1`,
    title: 'a success has access_token, issued_token_type and token_type, and is not stored',
    async run(sts) {
      const answer = await sts.exchange();
      issued(answer);
      same(answer.body['issued_token_type'], accessTokenType, 'issued_token_type');
      ensure(
        /^(?:Bearer|DPoP)$/i.test(String(answer.body['token_type'])),
        'token_type is neither Bearer nor DPoP',
      );
      ensure(/no-store/i.test(answer.headers.get('cache-control') ?? ''), 'Cache-Control has no no-store');
    },
  },
  {
    id: 'exchange-true-type',
    spec: `${spec} §2.2.1`,
    title: 'requested_token_type is honoured, and issued_token_type says so',
    async run(sts) {
      const answer = await sts.exchange({ requested_token_type: accessTokenType });
      issued(answer);
      same(answer.body['issued_token_type'], accessTokenType, 'issued_token_type');
    },
  },
  {
    id: 'exchange-subject-stays',
    spec: `${spec} §1.1`,
    title: 'sub is the person of the subject token',
    async run(sts) {
      const subject = await sts.subjectToken();
      const token = issued(await sts.exchange({ subject_token: subject }));
      same(claimsOf(token).sub, claimsOf(subject).sub, 'sub');
    },
  },
  {
    id: 'exchange-act',
    spec: `${spec} §4.1`,
    title: 'delegation names the client in act',
    async run(sts) {
      const { act } = claimsOf(issued(await sts.exchange())) as { act?: { sub?: string } };
      ensure(act?.sub !== undefined, 'there is no act.sub');
    },
  },
  {
    id: 'exchange-chain',
    spec: `${spec} §4.1`,
    title: 'a second exchange nests the first actor inside the second, without an actor_token',
    needs: ({ clients, exchange }) => clients.next && exchange.nextTarget,
    async run(sts) {
      const first = issued(await sts.exchange());
      const next = { resource: undefined, audience: undefined, ...sts.config.exchange.nextTarget };
      const second = issued(await sts.exchange({ subject_token: first, ...next }, { client: 'next' }));
      const { act } = claimsOf(second) as { act?: { sub?: string; act?: unknown } };
      ensure(claimsOf(first)['act'] !== undefined, 'the first token has no act');
      same(act?.act, claimsOf(first)['act'], 'the nested act');
      same(claimsOf(second).sub, claimsOf(first).sub, 'sub');
    },
  },
  {
    id: 'exchange-lifetime',
    spec: `${spec} §2.2.1`,
    title: 'the issued token does not outlive the subject token',
    async run(sts) {
      const subject = await sts.subjectToken();
      const token = issued(await sts.exchange({ subject_token: subject }));
      ensure((claimsOf(token).exp ?? Infinity) <= (claimsOf(subject).exp ?? 0), 'exp is later');
    },
  },
  {
    id: 'exchange-scope-narrows',
    spec: `${spec} §2.1`,
    title: 'the issued scope is within that of the subject token',
    async run(sts) {
      const subject = await sts.subjectToken();
      const token = issued(await sts.exchange({ subject_token: subject, scope: undefined }));
      const had = new Set(scopes(claimsOf(subject)['scope']));
      ensure(
        scopes(claimsOf(token)['scope']).every((scope) => had.has(scope)),
        'scope grew',
      );
    },
  },
  {
    id: 'exchange-scope-beyond',
    spec: 'RFC 6749 §5.2',
    title: 'a scope that the subject token lacks is refused or left out',
    needs: ({ exchange }) => exchange.scopeBeyond,
    async run(sts) {
      const wanted = sts.config.exchange.scopeBeyond;
      const answer = await sts.exchange({ scope: wanted });
      if (answer.status !== 200) return refused(answer, 'invalid_scope');
      ensure(!scopes(claimsOf(issued(answer))['scope']).includes(String(wanted)), 'the scope was given');
    },
  },
  {
    id: 'exchange-no-refresh-token',
    spec: `${spec} §2.2.1`,
    title: 'no refresh token comes with a delegated token',
    async run(sts) {
      const answer = await sts.exchange();
      issued(answer);
      ensure(answer.body['refresh_token'] === undefined, 'there is a refresh_token');
    },
  },
  {
    id: 'exchange-authentication',
    spec: `${spec} §5`,
    title: 'without client authentication nothing is exchanged',
    run: async (sts) =>
      refused(await sts.exchange({}, { client: null }), 'invalid_client', 'invalid_request'),
  },
  {
    id: 'exchange-confused-deputy',
    spec: 'RFC 9700 §4.10',
    title: 'a client that the subject token is neither for nor from cannot exchange it',
    needs: ({ clients }) => clients.stranger,
    async run(sts) {
      const answer = await sts.exchange({}, { client: 'stranger' });
      refused(answer, 'invalid_request', 'unauthorized_client', 'access_denied', 'invalid_target');
    },
  },
  ...(
    [
      ['missing-subject-token', 'subject_token is required', { subject_token: '' }],
      ['missing-subject-token-type', 'subject_token_type is required', { subject_token_type: undefined }],
      [
        'unknown-subject-token-type',
        'an unknown subject_token_type is refused',
        { subject_token_type: 'urn:x' },
      ],
      [
        'unknown-requested-token-type',
        'an unknown requested_token_type is refused',
        { requested_token_type: 'urn:x' },
      ],
      [
        'lone-actor-token-type',
        'actor_token_type without actor_token is refused',
        { actor_token_type: accessTokenType },
      ],
      ['lone-actor-token', 'actor_token without actor_token_type is refused', { actor_token: 'a.b.c' }],
      [
        'malformed-subject-token',
        'a subject token that is none is invalid_request',
        { subject_token: 'rubbish' },
      ],
    ] as const
  ).map(([id, title, changes]): Check => ({
    id,
    spec: `${spec} §2.1, §2.2.2`,
    title,
    run: async (sts) => refused(await sts.exchange(changes), 'invalid_request'),
  })),
  {
    id: 'tampered-subject-token',
    spec: `${spec} §2.2.2`,
    title: 'a subject token with another signature is invalid_request',
    run: async (sts) =>
      refused(await sts.exchange({ subject_token: flip(await sts.subjectToken()) }), 'invalid_request'),
  },
  {
    id: 'unsigned-subject-token',
    spec: 'RFC 8725 §3.1',
    title: 'a subject token with alg none is invalid_request',
    async run(sts) {
      const [header = '', payload] = (await sts.subjectToken()).split('.');
      const parsed = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
      const none = Buffer.from(JSON.stringify({ ...parsed, alg: 'none' })).toString('base64url');
      refused(await sts.exchange({ subject_token: `${none}.${payload}.` }), 'invalid_request');
    },
  },
  {
    id: 'repeated-parameter',
    spec: 'RFC 6749 §3.2',
    title: 'a subject_token that comes twice is refused',
    async run(sts) {
      const token = await sts.subjectToken();
      refused(await sts.exchange({ subject_token: [token, token] }), 'invalid_request');
    },
  },
];
