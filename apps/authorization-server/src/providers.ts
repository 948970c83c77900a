import { randomBytes } from 'node:crypto';
import type { AgentDependencies } from '@behalf/agent-identity';
import { type AuditLeaves, type AuditLog, originOf } from '@behalf/audit';
import { ResourceRegistry, revocationLifetimeSeconds, writeRevocation } from '@behalf/adapter-oidc-provider';
import { ExchangeCache, LentTokenCache } from '@behalf/exchange-cache';
import type { Cache, Clock, OneTimeStore, RecordStore } from '@behalf/ports';
import { DpopNonces, SenderConstraints } from '@behalf/resource-server';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  CLOCK,
  ConfiguredSecret,
  KEY_ENCRYPTION_KEY,
  type Logger,
  LOGGER,
  ONE_TIME_STORE,
  RECORD_STORE,
  SHARED_CACHE,
} from '@behalf/service-kit';
import { JwtSigner, SigningKeys } from '@behalf/signing-keys';
import { AuditCheckpoints } from './audit-checkpoints.js';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { delegationProviders } from './delegation/delegation-providers.js';
import { fetchJson } from './fetch-json.js';
import { AdminAuthorization } from './http/admin-authorization.js';
import { TokenAuthorization } from './http/token-authorization.js';
import { sharedSignalsProviders } from './shared-signals/shared-signals-providers.js';
import type { FormGuard } from './http/form-guard.js';
import { Interactions } from './http/interactions.js';
import { IssuerClock } from './issuer-clock.js';
import { IssuerKeys } from './issuer-keys.js';
import { openMutualTls } from './mutual-tls.js';
import { KeyRotation } from './key-rotation.js';
import { oidcProvider } from './oidc-provider.js';
import type { ProviderHolder } from './provider-holder.js';
import { serverSecret } from './server-secrets.js';
import { UpstreamSignIn } from './sign-in/upstream-sign-in.js';
import { trusts } from './trusts.js';
import {
  ADMIN_AUTHORIZATION,
  AGENT_DEPENDENCIES,
  AUDIT_CHECKPOINTS,
  EXCHANGE_CACHE,
  FORM_GUARD,
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

/** A few kilobytes each, for the life of a token. */
const maxKeptExchanges = 10_000;

/** The parts of the authorization server, each on the ports it needs. */
export function buildProviders(options: AuthorizationServerOptions) {
  const { config, fetch, environment, databaseTimeMs } = options;
  const server = config.authorizationServer;
  return [
    ...delegationProviders(config),
    { provide: RESOURCE_REGISTRY, useValue: new ResourceRegistry(config) },
    {
      provide: IssuerClock,
      inject: [RECORD_STORE, CLOCK, LOGGER],
      useFactory: (records: RecordStore, clock: Clock, logger: Logger) =>
        new IssuerClock({ records, clock, databaseTimeMs, logger }, revocationLifetimeSeconds(config)),
    },
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
    oidcProvider(options),
    {
      provide: INTERACTIONS,
      inject: [PROVIDER_HOLDER, FORM_GUARD],
      useFactory: (holder: ProviderHolder, guard: FormGuard) =>
        new Interactions(holder, guard, `${server.issuer}${server.paths.interaction}`),
    },
    {
      provide: KEY_ROTATION,
      inject: [PROVIDER_HOLDER, ISSUER_KEYS, SIGNER, SIGNING_KEYS],
      useFactory: (holder: ProviderHolder, issuerKeys: IssuerKeys, signer: JwtSigner, keys: SigningKeys) =>
        new KeyRotation(holder, issuerKeys, signer, keys),
    },
  ];
}
