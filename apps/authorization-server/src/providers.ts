import { randomBytes } from 'node:crypto';
import type { AgentDependencies } from '@behalf/agent-identity';
import { type AuditLeaves, type AuditLog, originOf, RecordsAhead } from '@behalf/audit';
import {
  createProvider,
  type FetchDocument,
  ResourceRegistry,
  revocationLifetimeSeconds,
  writeRevocation,
} from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { type Evaluation, evaluatePolicy } from '@behalf/contracts';
import type { DelegationDependencies, GrantUses } from '@behalf/delegation-grants';
import { ExchangeCache, LentTokenCache } from '@behalf/exchange-cache';
import type { Bus, Cache, Clock, OneTimeStore, RateLimiter, RecordStore } from '@behalf/ports';
import { DpopNonces, SenderConstraints } from '@behalf/resource-server';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  ConfiguredSecret,
  KEY_ENCRYPTION_KEY,
  type Logger,
  LOGGER,
  ONE_TIME_STORE,
  RATE_LIMITER,
  RECORD_STORE,
  SHARED_CACHE,
} from '@behalf/service-kit';
import { JwtSigner, SigningKeys } from '@behalf/signing-keys';
import { IssuerKeySets } from '@behalf/trusted-issuers';
import { AuditCheckpoints } from './audit-checkpoints.js';
import { clientSecretsFrom } from './config.js';
import { exchangeDelegation } from './delegation/exchange-delegation.js';
import { thirdPartyTokens } from './third-party-tokens.js';
import { delegationProviders } from './delegation/delegation-providers.js';
import { AdminAuthorization } from './http/admin-authorization.js';
import { TokenAuthorization } from './http/token-authorization.js';
import { sharedSignalsProviders } from './shared-signals/shared-signals-providers.js';
import type { FormGuard } from './http/form-guard.js';
import { Interactions } from './http/interactions.js';
import { IssuerKeys } from './issuer-keys.js';
import { openMutualTls } from './mutual-tls.js';
import { KeyRotation } from './key-rotation.js';
import { errorPage, signedOutPage, signOutPage } from './pages/message-pages.js';
import { ProviderHolder } from './provider-holder.js';
import { rateLimits, ratePurposes } from './rate-limits.js';
import { serverSecret } from './server-secrets.js';
import { UpstreamSignIn } from './sign-in/upstream-sign-in.js';
import { trusts } from './trusts.js';
import {
  ADMIN_AUTHORIZATION,
  AGENT_DEPENDENCIES,
  AUDIT_CHECKPOINTS,
  DELEGATION,
  EXCHANGE_CACHE,
  FORM_GUARD,
  GRANT_USES,
  INTERACTIONS,
  ISSUER_KEYS,
  KEY_ROTATION,
  LENT_TOKEN_CACHE,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
  SIGNER,
  SIGNING_KEYS,
  TOKEN_AUTHORIZATION,
  UPSTREAM_SIGN_IN,
} from './tokens.js';

/** A decision takes milliseconds; past this the policy service is down. */
const policyTimeoutMs = 2_000;
/** A few kilobytes each, for the life of a token. */
const maxKeptExchanges = 10_000;

export interface AuthorizationServerOptions {
  config: BehalfConfig;
  /** Fetches documents that strangers name. */
  fetch: FetchDocument;
  environment: Readonly<Record<string, string | undefined>>;
}

/** The parts of the authorization server, each on the ports it needs. */
export function buildProviders({ config, fetch, environment }: AuthorizationServerOptions) {
  const server = config.authorizationServer;
  return [
    ...delegationProviders(config),
    { provide: RESOURCE_REGISTRY, useValue: new ResourceRegistry(config) },
    {
      provide: SIGNING_KEYS,
      inject: [RECORD_STORE, KEY_ENCRYPTION_KEY, CLOCK],
      useFactory: async (records: RecordStore, kek: KeyEncryptionKey, clock: Clock) => {
        const keys = new SigningKeys(records, kek, clock, {
          overlapSeconds: revocationLifetimeSeconds(config),
        });
        await keys.ensure();
        return keys;
      },
    },
    { provide: ISSUER_KEYS, inject: [SIGNING_KEYS], useFactory: (keys: SigningKeys) => new IssuerKeys(keys) },
    {
      provide: SIGNER,
      inject: [SIGNING_KEYS, CLOCK],
      useFactory: (keys: SigningKeys, clock: Clock) => new JwtSigner(keys, clock),
    },
    {
      provide: TOKEN_AUTHORIZATION,
      inject: [CLOCK, RECORD_STORE, ISSUER_KEYS, ONE_TIME_STORE, KEY_ENCRYPTION_KEY],
      useFactory: async (
        clock: Clock,
        records: RecordStore,
        issuerKeys: IssuerKeys,
        oneTime: OneTimeStore,
        kek: KeyEncryptionKey,
      ) => {
        const secret = await serverSecret(records, kek, 'admin-nonces');
        const nonceSecrets = [Buffer.from(secret, 'base64url')];
        const constraints = new SenderConstraints({
          clock,
          oneTime,
          nonces: new DpopNonces(() => nonceSecrets, clock),
          requireNonce: server.dpop.requireNonce,
        });
        const { certificates } = openMutualTls(config.mutualTls);
        return new TokenAuthorization(config, { clock, records, issuerKeys, constraints, certificates });
      },
    },
    {
      provide: ADMIN_AUTHORIZATION,
      inject: [TOKEN_AUTHORIZATION],
      useFactory: (tokens: TokenAuthorization) => new AdminAuthorization(config, tokens),
    },
    ...sharedSignalsProviders({ config, environment, fetchJson: (url) => fetchJson(fetch, url) }),
    {
      provide: AUDIT_CHECKPOINTS,
      inject: [AUDIT_LOG, RECORD_STORE, KEY_ENCRYPTION_KEY, LOGGER],
      useFactory: async (
        leaves: AuditLog & AuditLeaves,
        records: RecordStore,
        kek: KeyEncryptionKey,
        logger: Logger,
      ) =>
        new AuditCheckpoints({
          leaves,
          records,
          origin: originOf(server.issuer),
          secret: Buffer.from(await serverSecret(records, kek, 'audit-log'), 'base64url'),
          onError: (err) => logger.error({ err }, 'the head of the audit log was not published'),
        }),
    },
    {
      provide: AGENT_DEPENDENCIES,
      inject: [RECORD_STORE],
      useFactory: (records: RecordStore): AgentDependencies => ({
        records,
        agentsUrl: `${server.issuer}${server.paths.agents}`,
        isConfiguredClient: (id) => server.clients.some(({ clientId }) => clientId === id),
        newId: () => randomBytes(12).toString('hex'),
        trusts: (what, name) => trusts(config, what, name),
        resolveKeySet: (url) => fetchJson(fetch, url),
        revoke: (transaction, { id, revokedAtMs, issuedUntilMs }) =>
          writeRevocation(
            transaction,
            { kind: 'client', id, ...(issuedUntilMs !== undefined && { issuedUntilMs }) },
            { nowMs: revokedAtMs, lifetimeSeconds: revocationLifetimeSeconds(config) },
          ),
      }),
    },
    {
      provide: UPSTREAM_SIGN_IN,
      inject: [ONE_TIME_STORE],
      useFactory: (oneTime: OneTimeStore) => {
        const { signIn } = server;
        if (signIn.method !== 'upstream') return undefined;
        const { clientSecretEnv: name } = signIn;
        const secret = name === undefined ? undefined : ConfiguredSecret.named(name, environment);
        return new UpstreamSignIn(server, signIn, secret, oneTime);
      },
    },
    {
      provide: EXCHANGE_CACHE,
      inject: [SHARED_CACHE],
      useFactory: (shared: Cache<string> | undefined) =>
        new ExchangeCache({ maxEntries: maxKeptExchanges, shared }),
    },
    {
      provide: LENT_TOKEN_CACHE,
      useFactory: () => new LentTokenCache({ maxEntries: maxKeptExchanges }),
    },
    {
      provide: PROVIDER_HOLDER,
      inject: [
        RECORD_STORE,
        KEY_ENCRYPTION_KEY,
        CLOCK,
        AUDIT_LOG,
        LOGGER,
        RESOURCE_REGISTRY,
        SIGNING_KEYS,
        ISSUER_KEYS,
        SIGNER,
        BUS,
        ONE_TIME_STORE,
        RATE_LIMITER,
        DELEGATION,
        GRANT_USES,
        EXCHANGE_CACHE,
        LENT_TOKEN_CACHE,
      ],
      useFactory: async (
        records: RecordStore,
        kek: KeyEncryptionKey,
        clock: Clock,
        audit: AuditLog,
        logger: Logger,
        resources: ResourceRegistry,
        keys: SigningKeys,
        issuerKeys: IssuerKeys,
        signer: JwtSigner,
        bus: Bus,
        oneTime: OneTimeStore,
        rates: RateLimiter,
        delegation: DelegationDependencies,
        uses: GrantUses,
        cache: ExchangeCache,
        lentTokens: LentTokenCache,
      ) => {
        const mayGoOn = async (what: 'documentsOfHost' | 'documents', key: string): Promise<boolean> =>
          (await rates.tryAttempt(ratePurposes[what], key, rateLimits[what])) === undefined;
        const clientSecrets = clientSecretsFrom(server.clients, environment);
        const cookieKeys = [await serverSecret(records, kek, 'cookies')];
        const nonceSecret = Buffer.from(await serverSecret(records, kek, 'nonces'), 'base64url');
        const mutualTls = openMutualTls(config.mutualTls);
        const trustedKeys = new IssuerKeySets({ clock, fetchJson: (url) => fetchJson(fetch, url) });
        return ProviderHolder.open(async () =>
          createProvider({
            config,
            records,
            oneTime,
            clock,
            resources,
            signingKeys: await keys.current(),
            publicJwks: () => keys.publicJwks(),
            verificationKeys: issuerKeys.get,
            cookieKeys,
            nonceSecret,
            trustedKeys,
            ...mutualTls,
            clientSecrets,
            fetch,
            mayFetchFrom: async (hostname) =>
              (await mayGoOn('documentsOfHost', hostname)) && (await mayGoOn('documents', '')),
            tryRefresh: (grantId) =>
              rates.tryAttempt(ratePurposes.refreshOfGrant, grantId, rateLimits.refreshOfGrant),
            exchange: {
              signer,
              cache,
              decide: (evaluation) => bus.request(evaluatePolicy, evaluation, { timeoutMs: policyTimeoutMs }),
              decideAhead: (evaluation) => decideAhead(evaluation, bus, RecordsAhead.of(audit)),
              thirdParty: thirdPartyTokens(config, bus, environment, lentTokens),
              ...exchangeDelegation(
                delegation,
                uses,
                clock,
                (id) => `${server.issuer}${server.paths.delegations}/${id}`,
              ),
            },
            pages: { error: errorPage, signOut: signOutPage, signedOut: signedOutPage },
            audit: (record) => audit.append({ ...record, occurredAtMs: clock.nowMs() }),
            onServerError: (error) => logger.error({ err: error }, 'server_error'),
          }),
        );
      },
    },
    {
      provide: INTERACTIONS,
      inject: [PROVIDER_HOLDER, FORM_GUARD],
      useFactory: (holder: ProviderHolder, guard: FormGuard) =>
        new Interactions(holder, guard, `${server.issuer}${server.paths.interaction}`),
    },
    {
      provide: KEY_ROTATION,
      inject: [PROVIDER_HOLDER, ISSUER_KEYS, SIGNER],
      useFactory: (holder: ProviderHolder, issuerKeys: IssuerKeys, signer: JwtSigner) =>
        new KeyRotation(holder, issuerKeys, signer),
    },
  ];
}

async function decideAhead(evaluation: Evaluation, bus: Bus, ahead: RecordsAhead) {
  const { recording, ...answer } = await bus.request(
    evaluatePolicy,
    { ...evaluation, recordsAhead: ahead.id },
    { timeoutMs: policyTimeoutMs },
  );
  return { ...answer, ...(recording !== undefined && { recorded: ahead.settled(recording) }) };
}

async function fetchJson(fetch: FetchDocument, url: string): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return response.json();
}
