import { type Confirmation, tokenTypes } from '@behalf/oauth';
import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  issuer,
  now,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import type { ExchangeParameters, RequestingClient, SubjectKind, TokenClaims } from './ports.js';

/** Every combination of what is in this table with what is in the others. */
const provenances: Record<string, { kind?: SubjectKind; claims?: Partial<TokenClaims> }> = {
  'a plain token': {},
  'a token with a chain': { claims: { act: { sub: 'b', act: { sub: 'a' } } } },
  'a token that names this client': { claims: { may_act: { sub: 'gateway', iss: issuer } } },
  'a token that names another client': { claims: { may_act: { sub: 'other', iss: issuer } } },
  'a token with a chain that names this client': {
    claims: { act: { sub: 'a' }, may_act: { sub: 'gateway', iss: issuer } },
  },
  'a bound token': { claims: { cnf: { jkt: 'subject-key' } } },
  'a bound token with a chain': { claims: { cnf: { jkt: 'subject-key' }, act: { sub: 'a' } } },
  'a bound token handed over to a key of this client': {
    claims: {
      cnf: { jkt: 'subject-key' },
      may_act: { sub: 'gateway', iss: issuer, cnf: { jkt: 'own-key' } },
    },
  },
  'a token of another issuer': { kind: 'external', claims: { sub: 'https://idp.example#alice' } },
  'a token of another issuer with a chain': { kind: 'external', claims: { act: { sub: 'a', iss: 'x' } } },
  'a token of another issuer that names a client, not whose': {
    kind: 'external',
    claims: { may_act: { sub: 'gateway' } },
  },
  'an ID token': { kind: 'id_token', claims: { client_id: 'gateway', scope: '' } },
  'a transaction token': { kind: 'transaction_token', claims: { act: { sub: 'a' } } },
};
const optional: Record<string, ExchangeParameters> = {
  actor_token: { actor_token: 'actor', actor_token_type: tokenTypes.accessToken },
  scope: { scope: 'mcp:tools' },
  audience: { resource: undefined, audience: upstreamResource },
  requested_token_type: { requested_token_type: tokenTypes.accessToken },
  requested_actor: { requested_actor: 'helper' },
};
const proofs: Record<string, Confirmation | undefined> = {
  'no key': undefined,
  'the key of the subject token': { jkt: 'subject-key' },
  'a key of its own': { jkt: 'own-key' },
  'the key and a certificate': { jkt: 'subject-key', 'x5t#S256': 'certificate' },
};
const clients: Record<string, RequestingClient> = {
  'an ordinary client': gatewayClient,
  'a client that may impersonate': clientWith({ impersonation: [upstreamResource] }),
};
const parameterSets = Object.keys(optional).reduce<string[][]>(
  (sets, name) => sets.flatMap((set) => [set, [...set, name]]),
  [[]],
);

const subjectTypes: Record<SubjectKind, string> = {
  access_token: tokenTypes.accessToken,
  external: tokenTypes.jwt,
  id_token: tokenTypes.idToken,
  transaction_token: tokenTypes.transactionToken,
};
/** A JWT only as far as its issuer can be read. */
const externalToken = `x.${Buffer.from('{"iss":"https://idp.example"}').toString('base64url')}.x`;

function run(
  kind: SubjectKind,
  subject: TokenClaims,
  names: string[],
  client: RequestingClient,
  proof: Confirmation | undefined,
) {
  const actor = subjectClaims({ sub: 'gateway', client_id: 'gateway', jti: 'actor-jti' });
  const fixture = exchangeFixture({ subject, actor });
  const { findTarget } = fixture.dependencies;
  Object.assign(fixture.dependencies, {
    verifyExternalToken: async () => subject,
    verifyIdToken: async () => subject,
    // An ID token is worth what the person delegated.
    findTarget: (id: string) => {
      const target = findTarget(id);
      return target && { ...target, delegation: kind === 'id_token' ? 'grant' : 'policy' };
    },
    findDelegationGrant: async () => ({
      id: 'd',
      scopes: ['mcp:tools'],
      authorizationDetails: [],
      expiresAtSeconds: now + 300,
    }),
  });
  const chosen = Object.assign({}, ...names.map((name) => optional[name])) as ExchangeParameters;
  const parameters: ExchangeParameters = {
    subject_token: kind === 'external' ? externalToken : 'subject',
    subject_token_type: subjectTypes[kind],
    ...chosen,
  };
  return fixture.issued(parameters, client, proof).catch((error: { code: string }) => error.code);
}

/** What has to come of it, told from the rules and not from the code: undefined for a refusal. */
function expectedOf(
  kind: SubjectKind,
  subject: TokenClaims,
  names: string[],
  mayImpersonate: boolean,
  proof: Confirmation | undefined,
): Partial<TokenClaims> | undefined {
  const mayAct = subject.may_act as { sub: string; iss?: string; cnf?: { jkt: string } } | undefined;
  const cnf = subject.cnf as { jkt: string } | undefined;
  if (kind === 'transaction_token') return undefined;
  if (cnf && proof?.jkt !== cnf.jkt && proof?.jkt !== (mayAct?.cnf?.jkt ?? '')) return undefined;
  if (mayAct && (mayAct.sub !== 'gateway' || mayAct.iss !== issuer)) return undefined;
  const isPlain = kind === 'access_token' && !subject.act && !mayAct && !cnf;
  const isImpersonation = isPlain && mayImpersonate;
  if (isImpersonation && names.includes('actor_token')) return undefined;
  return {
    sub: subject.sub,
    act: isImpersonation ? undefined : { sub: 'gateway', ...(subject.act && { act: subject.act }) },
    may_act: names.includes('requested_actor') ? { sub: 'helper', iss: issuer } : undefined,
    cnf: proof,
    client_id: 'gateway',
    lineage: ['root-jti'],
    aud: upstreamResource,
  };
}

describe.each(Object.entries(provenances))('%s', (_provenance, { kind = 'access_token', claims = {} }) => {
  describe.each(Object.entries(proofs))('presented with %s', (_proof, proof) => {
    it.each(Object.entries(clients))(
      'by %s, never drops or forges act, may_act or cnf, whatever is left out',
      async (_client, client) => {
        const subject = subjectClaims(claims);
        for (const names of parameterSets) {
          const mayImpersonate = client !== gatewayClient;
          const expected = expectedOf(kind, subject, names, mayImpersonate, proof);
          const issued = await run(kind, subject, names, client, proof);
          if (expected === undefined) {
            expect([names, issued]).toEqual([names, 'invalid_request']);
          } else {
            const { sub, act, may_act, cnf, client_id, lineage, aud } = issued as TokenClaims;
            expect([names, { sub, act, may_act, cnf, client_id, lineage, aud }]).toEqual([names, expected]);
          }
        }
      },
    );
  });
});

it('covers what it says it covers', () => {
  const combinations =
    Object.keys(provenances).length *
    Object.keys(proofs).length *
    Object.keys(clients).length *
    parameterSets.length;
  expect(combinations).toBe(13 * 4 * 2 * 32);
});
