import { OAuthError, grantTypes } from '@behalf/oauth';
import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { accountClientId } from './account-client.js';
import { AgentClients } from './agent-clients.js';
import { applyClientRules } from './client-rules.js';
import type { ProviderDependencies } from './dependencies.js';
import { FederatedClients } from './federated-clients.js';
import { buildProviderConfiguration } from './provider-configuration.js';
import { issueOwnToken } from './issue-own-token.js';
import { registerJwtBearer } from './register-jwt-bearer.js';
import { checkExplainable } from './explain-requests.js';
import { recordIssuedTokens } from './record-issued-tokens.js';
import { registerTokenExchange } from './register-token-exchange.js';
import { detectReplays } from './replay-detection.js';
import {
  type RequestParameters,
  settleAuthorizationRequest,
  settleResourceSpelling,
} from './request-rules.js';
import { answerStructuredTokens } from './structured-tokens.js';
import { answerParameters } from './throw-to-library.js';

/**
 * An oidc-provider with Behalf's rules. What it knows of its own address comes from the issuer, never from a header of
 * the request.
 */
export function createProvider(deps: ProviderDependencies): Provider {
  const { issuer, clients, authorizationDetailsTypes } = deps.config.authorizationServer;
  const configured = new Set([accountClientId, ...clients.map((client) => client.clientId)]);
  const agents = new AgentClients(deps.records, configured);
  const provider = new Provider(issuer, buildProviderConfiguration(deps, agents));
  bindToIssuer(provider, issuer);
  applyClientRules(
    provider,
    (clientId) => configured.has(clientId) || agents.hasSeen(clientId),
    deps.clientSecrets,
    Object.keys(authorizationDetailsTypes),
  );
  nameSessions(provider);
  detectReplays(provider, deps);
  const federated = new FederatedClients(deps, agents);
  settleRequests(provider, deps);
  federated.installOn(provider);
  useUnauthorizedClient(provider);
  answerWithParameters(provider);
  answerUnavailable(provider);
  echoRegisteredScope(provider);
  registerTokenExchange(provider, deps, agents, federated);
  provider.registerGrantType(
    grantTypes.clientCredentials,
    (ctx) => issueOwnToken(provider, ctx, deps, agents),
    ['scope', 'resource'],
  );
  registerJwtBearer(provider, federated, deps, agents);
  answerStructuredTokens(provider, deps);
  serveJwks(provider, deps);
  recordIssuedTokens(provider, deps);
  extendGrantedScope(provider);
  recordEvents(provider, deps);
  return provider;
}

/** A proxy may speak http to us, and anybody may send any Host. */
function bindToIssuer(provider: Provider, issuer: string): void {
  const { protocol, host } = new URL(issuer);
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
  });
}

function settleRequests(provider: Provider, deps: ProviderDependencies): void {
  const { OIDCContext } = provider;
  class SettlingContext extends OIDCContext {
    override urlFor(name: string, options?: Record<string, unknown>): string {
      return (provider as unknown as { urlFor(name: string, options?: object): string }).urlFor(
        name,
        options,
      );
    }

    // The first moment in both endpoints at which the parameters are read and nothing is judged yet; an error from
    // here goes where the library's own go, to the redirect URI only if it is registered.
    override entity(key: string, value: unknown): void {
      super.entity(key, value);
      if (key !== 'Client' || !this.params) return;
      const parameters = this.params as RequestParameters;
      // What was pushed was settled when it was, and takes the place of all parameters here.
      if (this.route === 'authorization' && this.params['request_uri'] === undefined)
        settleAuthorizationRequest(parameters, deps.resources);
      // Nothing but what authenticates the client has been taken out of the body yet.
      if (this.route === 'pushed_authorization_request')
        settleAuthorizationRequest(this.body as RequestParameters, deps.resources);
      if (this.route === 'token') {
        checkExplainable(
          (this as unknown as { ctx: KoaContextWithOIDC }).ctx.req,
          parameters['grant_type' as never],
        );
        settleResourceSpelling(parameters, deps.resources);
      }
    }
  }
  Object.defineProperty(provider, 'OIDCContext', { value: SettlingContext });
}

/**
 * Every ID token says of which sign-in it is (`sid`), by the name that access tokens have for it: what ends the one ends
 * the other. The library names it for clients that have a back-channel only, and otherwise for each of them.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 §2.1
 */
function nameSessions(provider: Provider): void {
  Object.assign(provider.Client.prototype, { includeSid: () => true });
  Object.assign(provider.Session.prototype, {
    sidFor(this: { uid: string }) {
      return this.uid;
    },
  });
}

/** RFC 6749 §5.2 has a code of its own for a client that may not use a grant; the library says `invalid_request`. */
function useUnauthorizedClient(provider: Provider): void {
  provider.on('grant.error', (ctx: KoaContextWithOIDC, error) => {
    const { client, params } = ctx.oidc;
    const grantType = params?.['grant_type'];
    if (!client || !(error instanceof errors.InvalidRequest) || typeof grantType !== 'string') return;
    if (error.error_description !== 'requested grant type is not allowed for this client') return;
    ctx.body = { error: 'unauthorized_client', error_description: 'the client may not use this grant' };
  });
}

/** The library writes `error` and `error_description` and drops the rest. */
function answerWithParameters(provider: Provider): void {
  provider.on('grant.error', (ctx: KoaContextWithOIDC, error) => {
    ctx.body = { ...answerParameters(error), ...(ctx.body as object) };
  });
}

/** What a store cannot do now the library knows as a fault of its own: callers are told to come back, and when. */
function answerUnavailable(provider: Provider): void {
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: unknown) => {
    // An authorization request was answered by a redirect that says so.
    if (!(error instanceof OAuthError) || error.code !== 'temporarily_unavailable' || ctx.status !== 500)
      return;
    const { body } = ctx;
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
    ctx.status = error.status;
    ctx.body = typeof body === 'string' ? body : error.toJSON();
  });
}

/** The response tells what was registered. Scope is no ceiling here, but clients expect to see it (RFC 7591 §3.2.1). */
function echoRegisteredScope(provider: Provider): void {
  provider.on('registration_create.success', (ctx: KoaContextWithOIDC) => {
    const scope = ctx.oidc.body?.['scope'];
    if (typeof scope === 'string' && scope !== '') ctx.body = { ...(ctx.body as object), scope };
  });
}

/**
 * What the person agrees to now adds to what they granted this client at the resource before, so that a client which
 * asks only for what it lacks does not lose what it has. A request that needs no new consent gets what it names and
 * no more: a client can always have a narrower token.
 */
function extendGrantedScope(provider: Provider): void {
  provider.on('authorization.accepted', (ctx: KoaContextWithOIDC) => {
    const { grant, params, result } = ctx.oidc;
    const resource = params?.['resource'];
    if (!result?.consent || !grant || !params || typeof resource !== 'string') return;
    const scopes = [params['scope'] as string | undefined, grant.getResourceScope(resource)];
    params['scope'] = [...new Set(scopes.join(' ').split(' ').filter(Boolean))].join(' ');
  });
}

function recordEvents(provider: Provider, deps: ProviderDependencies): void {
  const audit = (record: Parameters<typeof deps.audit>[0]): void =>
    void deps.audit(record).catch((error: unknown) => deps.onServerError(error));
  provider.on('server_error', (_ctx, error) => deps.onServerError(error));
  provider.on('grant.revoked', (ctx, grantId) =>
    audit({
      type: 'revocation',
      outcome: 'allowed',
      ...(ctx.oidc.client && { client: ctx.oidc.client.clientId }),
      details: { kind: 'grant', grant_id: grantId },
    }),
  );
}

/** The library publishes the keys it signs with only. */
function serveJwks(provider: Provider, { config, publicJwks }: ProviderDependencies): void {
  provider.use(async (ctx, next) => {
    if (ctx.path !== config.authorizationServer.paths.jwks || !['GET', 'HEAD'].includes(ctx.method))
      return next();
    ctx.set('Cache-Control', 'public, max-age=60');
    ctx.type = 'application/jwk-set+json';
    ctx.body = JSON.stringify(await publicJwks());
  });
}
