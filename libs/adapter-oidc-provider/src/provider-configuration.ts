import { grantProfile } from '@behalf/id-jag';
import { grantTypes, tokenTypes } from '@behalf/oauth';
import { nowSeconds } from '@behalf/ports';
import type { Page } from '@behalf/pages';
import {
  type Account,
  type ClientAuthMethod,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { accountClient } from './account-client.js';
import type { AgentClients } from './agent-clients.js';
import { completeAccessTokenPayload } from './access-token-payload.js';
import { attestedClients } from './attested-clients.js';
import { checkAssertion } from './check-assertion.js';
import { type AssertingClient, checkKeyIsCurrent } from './client-assertion.js';
import { mayFetchClientDocument, readPinnedDocuments } from './client-document-sources.js';
import { clientDocumentFetch } from './client-documents.js';
import { configuredClient } from './configured-client.js';
import type { FetchDocument, ProviderDependencies } from './dependencies.js';
import { buildInteractionPolicy } from './interaction-policy.js';
import { loadExistingGrant } from './load-existing-grant.js';
import { mutualTls, mutualTlsMetadata } from './mutual-tls.js';
import { personRecords } from './person.js';
import { signInScopes } from './request-rules.js';
import { resourceServerInfo } from './resource-server-info.js';
import { richAuthorizationRequests } from './rich-authorization-requests.js';
import { revocationLifetimeSeconds } from './revocation-records.js';
import { rotateUnlessTooOften } from './rotate-unless-too-often.js';
import { StorageAdapter } from './storage-adapter.js';

/** The library has both; its types know the first. */
const attestedMethods = ['attest_jwt_client_auth', 'attest_jwt_client_auth_dpop'] as ClientAuthMethod[];
const maxClientDocumentBytes = 5 * 1024;

/** Everything oidc-provider is told. What it has no setting for is in `create-provider.ts`. */
export function buildProviderConfiguration(deps: ProviderDependencies, agents: AgentClients): Configuration {
  const { config, records, clock, pages } = deps;
  const { issuer, paths, lifetimes, registration, clientIdMetadata } = config.authorizationServer;
  const isHttps = issuer.startsWith('https:');
  const cookies = { httpOnly: true, sameSite: 'lax', secure: isHttps, signed: true } as const;

  return {
    adapter: (model) => {
      const storage = new StorageAdapter(model, {
        records,
        clock,
        refreshGraceSeconds: lifetimes.refreshGraceSeconds,
        revocationLifetimeSeconds: revocationLifetimeSeconds(config),
        unusedClientSeconds: registration.unusedDays * 24 * 3600,
        recordRegistration: (client) => deps.audit({ type: 'registration', outcome: 'allowed', client }),
      });
      return model === 'Client' ? agents.among(storage) : storage;
    },
    jwks: { keys: deps.signingKeys },
    clients: [
      accountClient(config),
      ...config.authorizationServer.clients.map((client) => configuredClient(client, deps)),
    ],
    discovery: { ...identityAssertionMetadata(config.authorizationServer), ...mutualTlsMetadata(config) },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      ...(config.authorizationServer.attesters.length > 0 ? attestedMethods : []),
      ...(config.mutualTls.enabled ? (['tls_client_auth', 'self_signed_tls_client_auth'] as const) : []),
    ],
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims, _header, client) => {
      const now = nowSeconds(clock);
      checkAssertion(claims, { issuer, nowSeconds: now });
      const { asymmetricKeyStore } = client as unknown as AssertingClient;
      await checkKeyIsCurrent(asymmetricKeyStore, String(ctx.oidc.params?.['client_assertion']), now);
    },
    responseTypes: ['code'],
    scopes: signInScopes,
    claims: {
      openid: ['sub'],
      profile: ['name', 'groups'],
      acr: null,
      auth_time: null,
      iss: null,
      sid: null,
    },
    pkce: { required: () => true },
    routes: {
      authorization: paths.authorization,
      pushed_authorization_request: paths.pushedAuthorizationRequest,
      token: paths.token,
      jwks: paths.jwks,
      registration: paths.registration,
      introspection: paths.introspection,
      revocation: paths.revocation,
      userinfo: paths.userinfo,
      end_session: paths.endSession,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: {
        enabled: true,
        nonceSecret: deps.nonceSecret,
        requireNonce: () => config.authorizationServer.dpop.requireNonce,
      },
      mTLS: mutualTls(deps),
      attestClientAuth: attestedClients(deps, agents),
      pushedAuthorizationRequests: { enabled: true },
      richAuthorizationRequests: richAuthorizationRequests({ ...deps, agents }),
      clientCredentials: { enabled: true },
      userinfo: { enabled: true },
      // Opaque tokens only, which are refresh tokens; `structured-tokens.ts` has the others.
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      registration: { enabled: registration.enabled, issueRegistrationAccessToken: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => sendPage(ctx, pages.signOut(form)),
        postLogoutSuccessSource: (ctx) => sendPage(ctx, pages.signedOut()),
      },
      clientIdMetadataDocument: {
        enabled: clientIdMetadata.enabled,
        ack: 'draft-02',
        allowFetch: (_ctx, clientId) => mayFetchClientDocument(clientId, deps),
        cacheDuration: { min: 0, max: 24 * 3600 },
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        defaultResource: (ctx, _client, oneOf) => defaultResource(ctx, oneOf),
        getResourceServerInfo: (ctx, resource, client) =>
          resourceServerInfo(ctx, resource, client.clientId, { ...deps, agents }),
      },
    },
    formats: {
      customizers: {
        jwt: (ctx, token, jwt) =>
          completeAccessTokenPayload(ctx, token, jwt.payload, { resources: deps.resources, issuer }),
      },
    },
    ttl: {
      AccessToken: lifetimes.accessTokenSeconds,
      // An agent may be given less than others.
      ClientCredentials: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? lifetimes.accessTokenSeconds,
      AuthorizationCode: lifetimes.authorizationCodeSeconds,
      IdToken: lifetimes.accessTokenSeconds,
      RefreshToken: lifetimes.refreshTokenSeconds,
      Interaction: lifetimes.interactionSeconds,
      Session: lifetimes.sessionSeconds,
      Grant: lifetimes.grantSeconds,
    },
    // Clients keep working after the browser session is over, until their grant is.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed(grantTypes.refreshToken),
    rotateRefreshToken: (ctx) => rotateUnlessTooOften(ctx, deps),
    cookies: {
      keys: deps.cookieKeys,
      names: {
        session: isHttps ? '__Host-session' : 'session',
        // These two are bound to the path of one interaction, which `__Host-` does not allow.
        interaction: isHttps ? '__Secure-interaction' : 'interaction',
        resume: isHttps ? '__Secure-resume' : 'resume',
      },
      long: cookies,
      short: cookies,
    },
    interactions: {
      policy: buildInteractionPolicy(records),
      url: (_ctx, interaction) => `${issuer}${paths.interaction}/${interaction.uid}`,
    },
    findAccount: (_ctx, sub) => findAccount(sub, deps),
    loadExistingGrant: (ctx) => loadExistingGrant(ctx, deps),
    // Ours decides CORS for all endpoints alike, before the library is asked.
    clientBasedCORS: () => true,
    renderError: (ctx, out) => sendPage(ctx, pages.error(out)),
    fetch: toLibraryFetch(clientDocumentFetch(deps.fetch, readPinnedDocuments(clientIdMetadata.pinned))),
    fetchResponseBodyLimits: { 'client_id metadata document': maxClientDocumentBytes, jwks_uri: 64 * 1024 },
  };
}

async function defaultResource(
  ctx: KoaContextWithOIDC,
  oneOf?: readonly string[],
): Promise<string | string[]> {
  const { grant_type: grantType } = ctx.oidc.params ?? {};
  if (oneOf !== undefined) throw new errors.InvalidTarget('one resource per request');
  if (grantType === grantTypes.clientCredentials || grantType === grantTypes.jwtBearer)
    throw new errors.InvalidTarget('resource is required');
  return undefined as unknown as string;
}

async function findAccount(sub: string, deps: ProviderDependencies): Promise<Account | undefined> {
  const record = await deps.records.get(personRecords, sub);
  if (!record) return undefined;
  const { name, groups } = record.value;
  return { accountId: sub, groups, claims: async () => ({ sub, name, groups }) };
}

async function sendPage(ctx: KoaContextWithOIDC, page: Page): Promise<void> {
  ctx.set({ ...page.headers });
  ctx.type = 'html';
  ctx.body = page.html;
}

function toLibraryFetch(fetch: FetchDocument): typeof globalThis.fetch {
  return (input, init) => fetch(input instanceof Request ? input.url : input, init);
}

/** @see draft-ietf-oauth-identity-assertion-authz-grant §7, draft-ietf-oauth-identity-chaining §3 */
function identityAssertionMetadata({
  trustedIssuers,
  idJag,
}: ProviderDependencies['config']['authorizationServer']) {
  return {
    ...(trustedIssuers.some(({ identityAssertions }) => identityAssertions) && {
      authorization_grant_profiles_supported: [grantProfile],
    }),
    ...(idJag.authorizationServers.length > 0 && {
      identity_chaining_requested_token_types_supported: [tokenTypes.idJag],
    }),
  };
}
