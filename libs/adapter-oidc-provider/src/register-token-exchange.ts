import { randomUUID } from 'node:crypto';
import type { AuditLog, AuditRecord } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { VerifiedTokens } from '@behalf/exchange-cache';
import type { IssueRequest } from '@behalf/id-jag';
import { type Confirmation, grantTypes, OAuthError, tokenTypes } from '@behalf/oauth';
import { nowSeconds, type Signer } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { activeTraceId, attributes, inSpan } from '@behalf/telemetry';
import {
  elicitedParameterNames,
  type ExchangeDependencies,
  exchangeForThirdParty,
  type ExchangeExplanation,
  explainExchange,
  explainThirdPartyExchange,
  type ExchangeParameters,
  type ExchangeRequest,
  type RequestingClient,
  type ThirdPartyDependencies,
} from '@behalf/token-exchange';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import { checkNotRevoked } from './check-not-revoked.js';
import type { ProviderDependencies } from './dependencies.js';
import { chainDescriber } from './describe-chain.js';
import { type DelegationPorts, exchangeUnderGrants } from './exchange-under-grants.js';
import { explainIdentityAssertion, issueIdentityAssertion } from './issue-identity-assertion.js';
import type { FederatedClients } from './federated-clients.js';
import { failedBefore, servePlainExchanges } from './plain-exchange.js';
import { readProof } from './presented-proof.js';
import { isExplaining, setExplainer } from './explain-requests.js';
import { externalPeople } from './external-people.js';
import { ownAccessTokenReader } from './read-own-access-token.js';
import { readOwnIdToken, readOwnTransactionToken } from './read-own-jwt.js';
import { readRelayedProof, relayedProofParameter } from './relayed-proof.js';
import { throwToLibrary } from './throw-to-library.js';

const parameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'requested_actor',
  'requested_actor_jkt',
  'request_details',
  'request_context',
  'resource',
  'audience',
  'scope',
  'authorization_details',
  // Of an answer `interaction_required`: while the person decides, the exchange is asked for again with it.
  'request_id',
  ...elicitedParameterNames,
];
/** Read besides: it is new with every request, and the answer depends on what it proves only. */
const parametersWithProof = [...parameters, relayedProofParameter];
/** Both may repeat (RFC 8693 §2.1); without this the library refuses that. */
const repeatable = ['resource', 'audience'];

/** A few kilobytes each. */
const maxVerifiedTokens = 5_000;

/** A request whose client has been authenticated. */
export interface AuthenticatedExchange {
  client: { clientId: string; tokenEndpointAuthMethod?: string | undefined };
  parameters: ExchangeParameters;
  /** Not there when no key can have been proven. */
  readProof?: () => Promise<Confirmation | undefined>;
}

/** What an exchange needs besides what the other grants do. */
export interface ExchangePorts
  extends
    Pick<ExchangeDependencies, 'decideAhead' | 'findDelegationGrant' | 'requestDelegation' | 'cache'>,
    DelegationPorts {
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  signer: Signer;
  /** Tokens of third parties; none without it. */
  thirdParty?:
    Pick<ThirdPartyDependencies, 'findThirdParty' | 'requestThirdPartyToken' | 'lentTokens'> | undefined;
}

/**
 * Serves token exchange at the token endpoint. The library has authenticated the client and checked that the grant is
 * its to use; everything else is decided in `@behalf/token-exchange`.
 *
 * @see RFC 8693 §2
 */
export function registerTokenExchange(
  provider: Provider,
  deps: ProviderDependencies,
  agents: AgentClients,
  federated: FederatedClients,
): void {
  const dependencies = exchangeDependencies(deps);
  const describeChain = chainDescriber(provider);
  const { thirdParty } = deps.exchange;
  const explain = (request: ExchangeRequest, append: AuditLog['append']): Promise<ExchangeExplanation> => {
    const own = { ...dependencies, audit: { append } };
    if (request.parameters['requested_token_type'] === tokenTypes.idJag)
      return explainIdentityAssertion(provider, ofClient(request), deps, append);
    if (thirdParty && isForThirdParty(request, thirdParty))
      return explainThirdPartyExchange(request, { ...own, ...thirdParty });
    return explainExchange(request, own);
  };
  const serve = async (
    { client, parameters: params, readProof: proofOf }: AuthenticatedExchange,
    explains: boolean,
  ): Promise<object> => {
    const request = {
      // Before the agent is looked up: what it is issued must not seem younger than a suspension that came after.
      nowSeconds: nowSeconds(deps.clock),
      client: await requestingClient(client, deps, agents),
      parameters: ownParameters(params),
      proof: await proofOf?.(),
      relayedProof: await readRelayedProof(params, deps),
      traceId: activeTraceId(),
    };
    const spanAttributes = { [attributes.clientId]: client.clientId };
    return inSpan<object>('exchange token', { attributes: spanAttributes }, (span) => {
      const began = performance.now();
      // What is recorded is what the span may tell.
      const append = (record: AuditRecord): Promise<void> => {
        if (span.isRecording()) span.setAttributes(describeExchange(record));
        const tookMicros = Math.round((performance.now() - began) * 1000);
        return deps.audit({ ...record, details: { ...record.details, tookMicros } });
      };
      // First: what is asked about must not be done.
      if (explains) return explain(request, append);
      if (params['requested_token_type'] === tokenTypes.idJag)
        return issueIdentityAssertion(provider, ofClient(request), deps, append);
      if (thirdParty && isForThirdParty(request, thirdParty))
        return exchangeForThirdParty(request, {
          ...dependencies,
          ...thirdParty,
          describeChain,
          audit: { append },
        });
      return exchangeUnderGrants(request, dependencies, { append }, deps.exchange, deps.onServerError);
    });
  };
  const handler = async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const answering =
      failedBefore(ctx.req) ??
      serve(
        {
          client: ctx.oidc.client,
          parameters: ctx.oidc.params as ExchangeParameters,
          readProof: () => readProof(provider, ctx, deps.certificates),
        },
        isExplaining(ctx.req),
      );
    ctx.body = await answering.catch((error: unknown) => throwToLibrary(ctx, error));
  };
  servePlainExchanges(provider, deps, {
    parameters: parametersWithProof,
    repeatable,
    mayLookUp: (clientId) => agents.isConfigured(clientId) || agents.hasSeen(clientId),
    isFederated: (form) => federated.concerns(form),
    exchange: (exchange) => serve(exchange, false),
  });
  provider.registerGrantType(grantTypes.tokenExchange, handler, parametersWithProof, repeatable);
  setExplainer(provider, async ({ clientId, parameters: asked, proof }) => {
    const client = await requestingClient({ clientId }, deps, agents).catch((cause: unknown) => {
      if (!(cause instanceof errors.InvalidClientAuth)) throw cause;
      throw new OAuthError('unauthorized_client', 'the agent may not act', { cause });
    });
    const request = {
      nowSeconds: nowSeconds(deps.clock),
      client,
      parameters: ownParameters(asked),
      proof,
      traceId: activeTraceId(),
    };
    return explain(request, deps.audit);
  });
}

/** Without those that authenticate the client: they are none of an exchange's business, and new with every request. */
function ownParameters(params: ExchangeParameters): ExchangeParameters {
  const own: Record<string, string | string[]> = {};
  for (const name of parameters) {
    const value = params[name];
    if (value !== undefined) own[name] = value;
  }
  return own;
}

function ofClient(request: ExchangeRequest): IssueRequest {
  const { client, parameters: asked, proof, nowSeconds: now, traceId } = request;
  return { ...client, parameters: asked, proof, nowSeconds: now, traceId };
}

function isForThirdParty(
  { parameters: { resource, audience } }: ExchangeRequest,
  { findThirdParty }: Pick<ThirdPartyDependencies, 'findThirdParty'>,
): boolean {
  const isOne = (target: string | string[] | undefined): boolean =>
    Array.isArray(target) ? target.some(isOne) : target !== undefined && findThirdParty(target) !== undefined;
  return isOne(resource) || isOne(audience);
}

/** What an exchange needs, but for the audit log, which differs from request to request by its span. */
function exchangeDependencies(deps: ProviderDependencies): Omit<ExchangeDependencies, 'audit'> {
  const { issuer, lifetimes, transactionTokens: transactions } = deps.config.authorizationServer;
  const own = { ...deps, issuer };
  const people = externalPeople(deps);
  // As old as the provider, which is made anew when keys change.
  const verified = new VerifiedTokens<AccessTokenClaims>(deps.clock, { maxEntries: maxVerifiedTokens });
  return {
    issuer,
    maxLifetimeSeconds: lifetimes.exchangedTokenSeconds,
    verifyAccessToken: ownAccessTokenReader({ ...own, verified }),
    checkNotRevoked: (tokens) => checkNotRevoked(tokens, deps),
    verifyIdToken: (token) => readOwnIdToken(token, own),
    verifyExternalToken: async (token, presented) => {
      const claims = await people.verify(token, presented);
      // Its issuer may have told us that its person is no longer signed in: or the token is exchanged once more.
      await checkNotRevoked([claims], deps);
      return claims;
    },
    findTarget: (identifier) => deps.resources.find(identifier),
    transactionTokens: transactions && {
      trustDomain: transactions.trustDomain,
      maxLifetimeSeconds: transactions.lifetimeSeconds,
      maxReplacements: transactions.maxReplacements,
      verify: (token) => readOwnTransactionToken(token, { ...own, trustDomain: transactions.trustDomain }),
    },
    ...deps.exchange,
    newId: randomUUID,
  };
}

/**
 * What may be exchanged for by a client: as it was configured, or by the ceiling of the agent that it is. Read again
 * after authentication, so that an agent suspended in between gets nothing.
 */
async function requestingClient(
  { clientId, tokenEndpointAuthMethod }: { clientId: string; tokenEndpointAuthMethod?: string | undefined },
  { config }: ProviderDependencies,
  agents: AgentClients,
): Promise<RequestingClient> {
  const agent = await agents.find(clientId);
  const configured = config.authorizationServer.clients.find((client) => client.clientId === clientId);
  return {
    clientId,
    isConfidential: tokenEndpointAuthMethod !== 'none',
    ceiling: agent
      ? { ...agent.ceiling, maxLifetimeSeconds: agent.lifetimes.tokenSeconds }
      : configured?.exchange,
  };
}

function describeExchange({ actors = [], decisionId, outcome, details }: AuditRecord) {
  const { audience, txn, reason } = details ?? {};
  return {
    [attributes.actorChain]: actors,
    [attributes.actorDepth]: actors.length,
    [attributes.decision]: outcome === 'allowed',
    ...(decisionId !== undefined && { [attributes.decisionId]: decisionId }),
    ...(typeof audience === 'string' && { [attributes.audience]: audience }),
    ...(typeof txn === 'string' && { [attributes.txn]: txn }),
    ...(typeof reason === 'string' && { [attributes.decisionReason]: reason }),
  };
}
