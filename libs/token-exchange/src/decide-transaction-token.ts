import { nestActor, parseScope, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildLineage } from './build-lineage.js';
import { coversAudience } from './covers-audience.js';
import type { DecidedExchange } from './decide-exchange.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { narrowLifetime } from './narrow-lifetime.js';
import { narrowScope } from './narrow-scope.js';
import { parseTransactionContext } from './parse-transaction-context.js';
import type { ExchangeCeiling, ExchangeDependencies, SubjectToken, TransactionTokenRules } from './ports.js';
import { transactionTokenClaims } from './transaction-token-claims.js';
import { validateTransactionToken } from './validate-transaction-token.js';
import type { Presented } from './verify-presented.js';

/**
 * Decides on a transaction token, a first one or one in another's place: what is being done for whom, on its way
 * through the workloads of one trust domain.
 *
 * @throws ExchangeRefusal
 * @see draft-ietf-oauth-transaction-tokens
 */
export async function decideTransactionToken(
  presented: Presented,
  dependencies: ExchangeDependencies,
  trace: ExchangeTrace,
): Promise<DecidedExchange> {
  const { clientId, ceiling, parameters, nowSeconds, subject } = presented;
  const rules = dependencies.transactionTokens;
  if (!rules) throw new ExchangeRefusal({ kind: 'transaction_tokens_off' });
  const { claims: subjectClaims } = subject;
  trace.act = subjectClaims.act;
  checkTrustDomain(parameters.targets, ceiling, rules);
  trace.audiences = [rules.trustDomain];
  checkReplacements(subject, rules);
  const lineage = buildLineage(subjectClaims);

  const scopeBounds = (trace.scopeBounds = {
    // An ID token says nothing of scope, and an unknown scope must be refused.
    subject: parseScope(subjectClaims.scope),
    ceiling: ceiling.scopes,
    targets: [],
  });
  const scope = narrowScope(parameters.scope, scopeBounds);
  const transaction = parseTransactionContext(parameters);
  const maxLifetimeSeconds = Math.min(rules.maxLifetimeSeconds, ceiling.maxLifetimeSeconds ?? Infinity);
  const exp = narrowLifetime({ nowSeconds, maxLifetimeSeconds, inputExps: [subjectClaims.exp] });

  await askPolicy(
    {
      action: 'exchange',
      subject: subjectClaims,
      // Policy decides on who asks, too, though the token names it elsewhere.
      act: nestActor({ sub: clientId }, subjectClaims.act),
      resource: { type: 'audience', id: rules.trustDomain },
      scope,
      authorizationDetails: [],
      clientId,
    },
    dependencies,
    trace,
  );
  const claims = transactionTokenClaims({
    issuer: dependencies.issuer,
    subject,
    clientId,
    trustDomain: rules.trustDomain,
    scope,
    transaction,
    nowSeconds,
    exp,
    jti: dependencies.newId(),
    lineage,
  });
  validateTransactionToken(claims, subject, { ...rules, issuer: dependencies.issuer, nowSeconds });
  return {
    claims,
    typ: 'txntoken+jwt',
    response: {
      issued_token_type: tokenTypes.transactionToken,
      token_type: 'N_A',
      expires_in: exp - nowSeconds,
      scope: scope.toString(),
    },
  };
}

function checkTrustDomain(
  targets: readonly string[],
  ceiling: ExchangeCeiling,
  { trustDomain }: TransactionTokenRules,
): void {
  const [target, ...others] = targets;
  if (target === undefined) throw new ExchangeRefusal({ kind: 'target_missing' });
  if (others.length > 0) throw new ExchangeRefusal({ kind: 'several_targets' });
  if (target !== trustDomain) throw new ExchangeRefusal({ kind: 'target_unknown' });
  if (!coversAudience(ceiling.audiences, trustDomain))
    throw new ExchangeRefusal({ kind: 'target_beyond_ceiling' });
}

function checkReplacements(subject: SubjectToken, { maxReplacements }: TransactionTokenRules): void {
  if (subject.kind !== 'transaction_token') return;
  if (subject.claims.rctx.call_chain.length >= maxReplacements)
    throw new ExchangeRefusal({ kind: 'too_many_replacements' });
}
