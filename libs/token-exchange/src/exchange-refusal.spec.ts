import { OAuthError, type OAuthErrorCode } from '@behalf/oauth';
import { type RefusalReason, refusalToOAuthError } from './exchange-refusal.js';
import { refusalRules } from './refusal-rules.js';

type Kind = RefusalReason['kind'];

/** Each line leaves the same way: what is in one line cannot be told apart from outside. */
const answers: [OAuthErrorCode, Kind[]][] = [
  ['invalid_request', ['parameter_missing']],
  ['invalid_request', ['parameter_repeated']],
  ['invalid_request', ['parameter_malformed']],
  ['invalid_request', ['actor_token_type_without_actor_token']],
  ['invalid_request', ['token_type_unsupported']],
  ['invalid_request', ['actor_token_beside_impersonation']],
  ['invalid_request', ['transaction_tokens_off']],
  ['invalid_request', ['transaction_changed']],
  ['invalid_request', ['transaction_token_only_replaced']],
  ['unauthorized_client', ['client_is_public', 'client_may_not_exchange']],
  [
    'invalid_request',
    [
      'subject_token_invalid',
      'subject_issuer_unknown',
      'subject_key_unproven',
      'subject_is_no_person',
      'subject_token_not_for_client',
      'actor_not_named_by_may_act',
      'third_party_unbound',
      'third_party_subject',
      'chain_too_deep',
      'chain_too_large',
      'too_many_replacements',
      'no_lifetime_left',
    ],
  ],
  ['invalid_request', ['actor_token_invalid', 'actor_key_unproven', 'actor_is_not_client']],
  ['invalid_target', ['target_missing']],
  ['invalid_target', ['several_targets']],
  ['invalid_target', ['target_unknown', 'target_beyond_ceiling']],
  ['invalid_target', ['policy_denied']],
  ['invalid_target', ['delegation_missing']],
  ['invalid_scope', ['scope_malformed']],
  ['invalid_scope', ['scope_beyond_authority']],
  ['invalid_scope', ['no_scope_left']],
  ['invalid_authorization_details', ['authorization_details_malformed']],
  ['invalid_authorization_details', ['authorization_details_beyond_authority']],
  ['access_denied', ['third_party_refused', 'delegation_refused']],
  ['temporarily_unavailable', ['third_party_unavailable']],
  ['temporarily_unavailable', ['delegation_unavailable']],
  ['temporarily_unavailable', ['policy_unavailable']],
  ['temporarily_unavailable', ['verification_unavailable']],
  ['temporarily_unavailable', ['not_recordable']],
  ['server_error', ['issued_claims_unsound']],
];
const cause = new Error('a secret of the log');
const refused = new OAuthError('access_denied', 'the person said no');
const details = {
  parameter: 'actor_token_type',
  cause,
  error: refused,
  fault: 'sub is not the person',
  decisionId: 'decision-1',
  pending: undefined,
};
const membersOf: Partial<Record<Kind, (keyof typeof details)[]>> = {
  parameter_missing: ['parameter'],
  parameter_repeated: ['parameter'],
  parameter_malformed: ['parameter'],
  token_type_unsupported: ['parameter'],
  subject_token_invalid: ['cause'],
  actor_token_invalid: ['cause'],
  authorization_details_malformed: ['cause'],
  delegation_unavailable: ['cause'],
  third_party_unavailable: ['cause'],
  policy_unavailable: ['cause'],
  verification_unavailable: ['cause'],
  not_recordable: ['cause'],
  delegation_refused: ['error'],
  third_party_refused: ['error'],
  delegation_missing: ['pending'],
  policy_denied: ['decisionId'],
  issued_claims_unsound: ['fault'],
};
const reasonOf = (kind: Kind): RefusalReason =>
  ({
    kind,
    ...Object.fromEntries((membersOf[kind] ?? []).map((name) => [name, details[name]])),
  }) as RefusalReason;
const answerTo = (kind: Kind): OAuthError => refusalToOAuthError(reasonOf(kind));

describe('a refusal on the wire', () => {
  it('is listed here for every reason', () => {
    expect(answers.flatMap(([, kinds]) => kinds).sort()).toEqual(Object.keys(refusalRules).sort());
  });

  it.each(answers)('RFC 8693 §2.2.2: is %s for each of %j, with one text', (code, kinds) => {
    const texts = new Set<string>();
    for (const kind of kinds) {
      const answer = answerTo(kind);
      expect([kind, answer.code]).toEqual([kind, code]);
      expect(answer.description).not.toBe('');
      texts.add(answer.description);
    }
    expect(texts.size).toBe(1);
  });

  it('has a text of its own wherever a caller can do something of its own about it', () => {
    const texts = answers.map(([, [kind]]) => answerTo(kind!).description);
    expect(new Set(texts).size).toBe(texts.length);
    // What is said of one is not said with a part of it missing.
    for (const text of texts) expect(text).not.toContain('undefined');
  });

  it('RFC 6749 §5.2: names the parameter that is wrong', () => {
    for (const kind of [
      'parameter_missing',
      'parameter_repeated',
      'parameter_malformed',
      'token_type_unsupported',
    ] as const) {
      expect(answerTo(kind).description).toContain('actor_token_type');
    }
  });

  it('names the decision of a denial, where there is one, to ask its operator about', () => {
    expect(answerTo('policy_denied').description).toBe('policy denied this exchange, decision decision-1');
    const unnamed = refusalToOAuthError({ kind: 'policy_denied', decisionId: undefined });
    expect(unnamed.description).toBe('policy denied this exchange');
    const others = answers.flatMap(([, kinds]) => kinds).filter((kind) => kind !== 'policy_denied');
    for (const kind of others) expect(answerTo(kind).description).not.toContain('denied');
  });

  it('keeps what really went wrong for the log, and says it to nobody', () => {
    for (const [, kinds] of answers) {
      for (const kind of kinds) {
        const answer = answerTo(kind);
        const members = membersOf[kind] ?? [];
        if (members.includes('error')) expect(answer).toBe(refused);
        else if (members.includes('fault')) expect(answer.cause).toBe(details.fault);
        else expect(answer.cause).toBe(members.includes('cause') ? cause : kind);
        expect(JSON.stringify(answer)).not.toMatch(/secret|sub is not/);
      }
    }
  });

  it('RFC 9110 §10.2.3: says when to come back where waiting helps, and nowhere else', () => {
    for (const [code, kinds] of answers) {
      const expected = code === 'temporarily_unavailable' ? 2 : undefined;
      for (const kind of kinds) expect([kind, answerTo(kind).retryAfterSeconds]).toEqual([kind, expected]);
    }
  });

  it('RFC 8628 §3.2: says where the person agrees, how long that is open, and how often to ask', () => {
    const pending = {
      consentUrl: 'https://as.example/c/1',
      requestId: 'r',
      expiresInSeconds: 60,
      intervalSeconds: 5,
    };
    const answer = refusalToOAuthError({ kind: 'delegation_missing', pending });
    expect(answer.cause).toBe('delegation_missing');
    expect(answer.toJSON()).toEqual({
      error: 'interaction_required',
      error_description: expect.stringMatching(/./) as string,
      interaction_uri: pending.consentUrl,
      request_id: 'r',
      expires_in: 60,
      interval: 5,
    });
  });
});

describe('the rule behind a refusal', () => {
  it.each(Object.entries(refusalRules))(
    '%s is a sentence, and says where it is written',
    (_kind, { rule, see }) => {
      expect(rule).toMatch(/^\w.+\.$/);
      expect(see).toMatch(/^(RFC \d{4} §\d|Behalf$|Behalf, docs\/|draft-ietf-)/);
    },
  );
});
