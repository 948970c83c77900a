import type { RefusalReason } from './exchange-refusal.js';

/** A rule that an exchange can break, and where it is written. */
export interface RefusalRule {
  rule: string;
  see: string;
}

const parameters = 'RFC 8693 §2.1';
const form = 'RFC 6749 §3.2';
const chain = 'RFC 8693 §4.1';
const narrowing = 'RFC 8693 §2.1 (scope)';
const targets = 'RFC 8693 §2.1 (resource, audience), RFC 8707 §2';
const details = 'RFC 9396 §5, §6';
const transactions = 'draft-ietf-oauth-transaction-tokens';
const here = 'Behalf';
const thirdParties = 'Behalf, docs/elicitation.md';

/** The rule behind each reason. What a reason means for a caller, `refusalToOAuthError` says. */
export const refusalRules: Readonly<Record<RefusalReason['kind'], RefusalRule>> = {
  parameter_missing: { rule: 'A required parameter is there.', see: parameters },
  parameter_repeated: { rule: 'Only resource and audience may repeat.', see: form },
  parameter_malformed: { rule: 'A parameter has its form.', see: parameters },
  actor_token_type_without_actor_token: {
    rule: 'actor_token_type comes with actor_token and only with it.',
    see: parameters,
  },
  token_type_unsupported: {
    rule: 'Token types are honoured or refused, never substituted.',
    see: parameters,
  },
  client_is_public: { rule: 'Who exchanges has authenticated.', see: 'RFC 8693 §5' },
  client_may_not_exchange: {
    rule: 'An operator has given the client a ceiling.',
    see: 'RFC 6749 §5.2 (unauthorized_client)',
  },
  subject_token_invalid: {
    rule: 'The subject token is signed, of the type it is presented as, alive and not revoked.',
    see: 'RFC 8693 §2.1, RFC 9068 §4',
  },
  subject_issuer_unknown: { rule: 'The issuer of the subject token is trusted.', see: 'RFC 8693 §2.1' },
  subject_key_unproven: {
    rule: 'A bound subject token comes with proof of its key, of the key it hands itself over to, or with the proof that it was presented with.',
    see: 'RFC 9449 §7, RFC 8705 §3',
  },
  subject_is_no_person: { rule: 'The subject token stands for a person.', see: 'RFC 9068 §2.2' },
  subject_token_not_for_client: {
    rule: 'The subject token was issued to the client, or is addressed to it.',
    see: 'RFC 8693 §5, RFC 9700 §2.3',
  },
  actor_token_invalid: { rule: 'The actor token is signed, alive and not revoked.', see: parameters },
  actor_key_unproven: { rule: 'A bound actor token comes with proof of its key.', see: 'RFC 9449 §7' },
  actor_is_not_client: { rule: 'The actor is the client that asks.', see: parameters },
  actor_token_beside_impersonation: {
    rule: 'Where the client acts as the person there is no actor.',
    see: 'RFC 8693 §1.1',
  },
  actor_not_named_by_may_act: {
    rule: 'A token with may_act is used by the actor it names.',
    see: 'RFC 8693 §4.4',
  },
  chain_too_deep: { rule: 'The chain of actors is within its limits; it is never cut.', see: chain },
  chain_too_large: { rule: 'The chain of actors takes 4 KB at most; it is never cut.', see: chain },
  target_missing: { rule: 'The request names what the token is for.', see: targets },
  several_targets: { rule: 'A token is for as many targets as the client may name.', see: targets },
  target_unknown: { rule: 'The target is a registered resource.', see: targets },
  target_beyond_ceiling: { rule: 'The target is within the ceiling of the client.', see: targets },
  scope_malformed: { rule: 'Scope is in the characters of its grammar.', see: 'RFC 6749 §3.3' },
  scope_beyond_authority: { rule: 'Scope only narrows.', see: narrowing },
  no_scope_left: { rule: 'Something is left to delegate.', see: narrowing },
  authorization_details_malformed: { rule: 'Authorization details are well formed.', see: details },
  authorization_details_beyond_authority: { rule: 'Authorization details only narrow.', see: details },
  delegation_missing: { rule: 'The person has delegated this to the agent.', see: here },
  delegation_unavailable: { rule: 'Delegation grants can be read.', see: here },
  delegation_refused: { rule: 'The person agrees to the delegation.', see: 'RFC 8628 §3.5' },
  third_party_unbound: { rule: 'A bound token never comes out unbound.', see: thirdParties },
  third_party_subject: { rule: 'Third parties’ tokens are for access tokens of people.', see: thirdParties },
  third_party_refused: { rule: 'The person lends the third party’s account.', see: thirdParties },
  third_party_unavailable: { rule: 'The third party’s token can be asked for.', see: thirdParties },
  no_lifetime_left: { rule: 'A token lives no longer than anything it came from.', see: 'RFC 8693 §2.2.1' },
  transaction_tokens_off: { rule: 'There is a trust domain for transaction tokens.', see: transactions },
  transaction_changed: { rule: 'What a transaction is about never changes.', see: transactions },
  transaction_token_only_replaced: {
    rule: 'A transaction token is exchanged for another one only.',
    see: transactions,
  },
  too_many_replacements: {
    rule: 'A transaction token is replaced so many times at most.',
    see: transactions,
  },
  policy_denied: { rule: 'Policy permits it.', see: here },
  policy_unavailable: { rule: 'Policy has answered.', see: here },
  verification_unavailable: { rule: 'The token could be checked.', see: here },
  not_recordable: { rule: 'What is issued is recorded.', see: here },
  issued_claims_unsound: { rule: 'The finished claims are held against the subject token.', see: here },
};
