import type { IncomingMessage } from 'node:http';
import { grantTypes } from '@behalf/oauth';
import type { ExchangeExplanation, ExchangeParameters } from '@behalf/token-exchange';
import { errors, type Provider } from 'oidc-provider';

/** An exchange that an administrator asks about: as whom, with which keys proven. */
export interface ExplainedRequest {
  clientId: string;
  parameters: ExchangeParameters;
  proof?: { jkt: string } | undefined;
}

type Explain = (request: ExplainedRequest) => Promise<ExchangeExplanation>;

const asking = new WeakSet<IncomingMessage>();
const explainers = new WeakMap<Provider, Explain>();

/**
 * From here on the request asks what a token request would come to: it goes through the token endpoint, where its client
 * authenticates as always, and gets an explanation instead of a token.
 */
export function markAsExplaining(request: IncomingMessage): void {
  asking.add(request);
}

export function isExplaining(request: IncomingMessage): boolean {
  return asking.has(request);
}

/** Only an exchange can be explained: anything else would be done. @throws InvalidRequest */
export function checkExplainable(request: IncomingMessage, grantType: unknown): void {
  if (isExplaining(request) && grantType !== grantTypes.tokenExchange)
    throw new errors.InvalidRequest('only a token exchange can be explained');
}

export function setExplainer(provider: Provider, explain: Explain): void {
  explainers.set(provider, explain);
}

/**
 * Explains an exchange of some client, for an administrator. The client is taken as authenticated; one that has no
 * ceiling, since nobody knows it, is explained as that.
 *
 * @throws OAuthError `temporarily_unavailable`; `unauthorized_client` for an agent that may not act
 */
export function explainAs(provider: Provider, request: ExplainedRequest): Promise<ExchangeExplanation> {
  const explain = explainers.get(provider);
  if (!explain) throw new Error('the provider serves no token exchange');
  return explain(request);
}
