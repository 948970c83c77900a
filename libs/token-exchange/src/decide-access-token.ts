import { type ActClaim, handOver, parseScope, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildActChain } from './build-act-chain.js';
import { buildLineage } from './build-lineage.js';
import { chooseProfile } from './choose-profile.js';
import type { DecidedExchange } from './decide-exchange.js';
import { designateActor } from './designate-actor.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { issuedTokenClaims } from './issued-token-claims.js';
import { narrowAuthorizationDetails } from './narrow-authorization-details.js';
import { narrowLifetime } from './narrow-lifetime.js';
import { narrowScope } from './narrow-scope.js';
import type { ExchangeDependencies } from './ports.js';
import { resolveDelegations } from './resolve-delegations.js';
import { selectTargets } from './select-targets.js';
import { validateIssuedClaims } from './validate-issued-claims.js';
import type { Presented } from './verify-presented.js';

/**
 * Decides on an access token: for whom, by whom, where, for what and how long, in this order, then whether policy wants
 * it, and last whether what was built is sound.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.2, §4; RFC 9068 §2.2
 */
export async function decideAccessToken(
  presented: Presented,
  dependencies: ExchangeDependencies,
  trace: ExchangeTrace,
): Promise<DecidedExchange> {
  const { clientId, ceiling, parameters, proof, nowSeconds, actor } = presented;
  const { kind, claims: subject } = presented.subject;
  const { issuer } = dependencies;
  if (kind === 'transaction_token') throw new ExchangeRefusal({ kind: 'transaction_token_only_replaced' });

  const chain = buildActChain(clientId, subject.act, ceiling.maxChainDepth);
  trace.act = chain;
  const lineage = buildLineage(subject);
  const targets = selectTargets(parameters.targets, ceiling, dependencies);
  const audiences = (trace.audiences = targets.map(({ resource }) => resource));
  const profile = (trace.profile = chooseProfile(presented.subject, ceiling, targets));
  if (profile === 'impersonation' && actor)
    throw new ExchangeRefusal({ kind: 'actor_token_beside_impersonation' });
  const named = designateActor(parameters, issuer);
  const [onlyTarget, ...otherTargets] = targets;
  // Of several resources none could be told from the others by the key.
  const mayAct =
    named ?? (onlyTarget && otherTargets.length === 0 ? handOver(onlyTarget, proof, issuer) : undefined);

  const scopeBounds = (trace.scopeBounds = {
    // Who somebody is does not say what may be done for them: there, what they delegated takes its place.
    subject: kind === 'id_token' ? undefined : parseScope(subject.scope),
    ceiling: ceiling.scopes,
    targets: targets.map((target) => target.scopes),
  });
  const possibleScope = narrowScope(parameters.scope, scopeBounds);
  const detailBounds = {
    subject: subject.authorization_details ?? [],
    types: ceiling.authorizationDetailsTypes ?? [],
    locations: audiences,
  };
  trace.delegations = await resolveDelegations(
    targets,
    {
      query: { person: subject.sub, agent: clientId, nowSeconds },
      scope: possibleScope,
      isScopeNamed: parameters.scope !== undefined,
      areDetailsNamed: parameters.authorizationDetails !== undefined,
      authorizationDetails: narrowAuthorizationDetails(parameters.authorizationDetails, {
        ...detailBounds,
        grants: [],
      }),
    },
    dependencies,
  );
  const delegations = trace.delegations.map(({ grant }) => grant);
  if (kind === 'id_token' && delegations.length < targets.length)
    throw new ExchangeRefusal({ kind: 'no_scope_left' });
  const scope = delegations.reduce((left, { scopes }) => left.intersect(scopes), possibleScope);
  if (scope.size === 0) throw new ExchangeRefusal({ kind: 'no_scope_left' });
  const authorizationDetails = narrowAuthorizationDetails(parameters.authorizationDetails, {
    ...detailBounds,
    grants: delegations.map((delegation) => delegation.authorizationDetails),
  });
  const maxLifetimeSeconds = Math.min(
    dependencies.maxLifetimeSeconds,
    ceiling.maxLifetimeSeconds ?? Infinity,
  );
  const inputExps = [subject.exp, ...delegations.map(({ expiresAtSeconds }) => expiresAtSeconds)];
  if (actor) inputExps.push(actor.exp);
  const exp = narrowLifetime({ nowSeconds, maxLifetimeSeconds, inputExps });

  const question = { subject, act: chain, scope, authorizationDetails, clientId };
  for (const id of audiences) {
    const action = profile === 'impersonation' ? 'impersonate' : 'exchange';
    await askPolicy({ ...question, action, resource: { type: 'audience', id } }, dependencies, trace);
  }
  if (named) {
    const resource = { type: 'agent', id: named.sub, properties: { sub: named.sub } };
    await askPolicy({ ...question, action: 'designate', resource }, dependencies, trace);
  }

  const act: ActClaim | undefined = profile === 'impersonation' ? undefined : chain;
  trace.act = act;
  const claims = issuedTokenClaims({
    issuer,
    subject,
    act,
    clientId,
    audiences,
    scope,
    authorizationDetails,
    nowSeconds,
    exp,
    jti: dependencies.newId(),
    lineage,
    proof,
    mayAct,
    delegations,
  });
  validateIssuedClaims(claims, presented.subject, {
    issuer,
    maxLifetimeSeconds,
    nowSeconds,
    actorSub: profile === 'impersonation' ? undefined : clientId,
    audiences,
    proof,
    mayAct,
    delegations,
  });
  return {
    claims,
    typ: 'at+jwt',
    response: {
      issued_token_type: tokenTypes.accessToken,
      token_type: proof?.jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: exp - nowSeconds,
      scope: scope.toString(),
      ...(authorizationDetails.length > 0 && { authorization_details: authorizationDetails }),
    },
  };
}
