import type { IdJagRefusalReason } from './id-jag-refusal.js';

const draft = 'draft-ietf-oauth-identity-assertion-authz-grant §4.3';
const here = 'Behalf';

/** The rules that asking for an ID-JAG can break, and where they are written. */
const rules: Partial<Record<IdJagRefusalReason['kind'], { rule: string; see: string }>> = {
  client_is_public: { rule: 'Who asks for an assertion has authenticated.', see: draft },
  actor_token_unsupported: { rule: 'An assertion is about a person alone.', see: draft },
  subject_token_type_unsupported: {
    rule: 'The subject token is an ID token or a refresh token.',
    see: draft,
  },
  subject_token_invalid: {
    rule: 'The subject token is one of this client, alive, and its sign-in is not over.',
    see: draft,
  },
  audience_missing: { rule: 'The request names the authorization server that is asked.', see: draft },
  audience_unknown: { rule: 'One authorization server is named, and it is configured.', see: here },
  client_unknown_there: { rule: 'The client has a name at the authorization server.', see: draft },
  resource_not_there: { rule: 'The resource is one of that authorization server.', see: here },
  no_scope_left: { rule: 'Something is left of the scope that is asked for.', see: draft },
  policy_denied: { rule: 'Policy permits it.', see: here },
  policy_unavailable: { rule: 'Policy has answered.', see: here },
  undecided: { rule: 'The token could be checked.', see: here },
};

/** The rule behind a refusal to issue. What it means for a caller, `idJagRefusalToOAuthError` says. */
export function issuingRule(kind: IdJagRefusalReason['kind']): { rule: string; see: string } {
  return rules[kind] ?? { rule: 'What is redeemed is acceptable.', see: draft };
}
