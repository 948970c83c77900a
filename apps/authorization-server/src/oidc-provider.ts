import { createProvider, type ResourceRegistry } from '@behalf/adapter-oidc-provider';
import { type AuditLog, RecordsAhead } from '@behalf/audit';
import { type Evaluation, evaluatePolicy } from '@behalf/contracts';
import type { DelegationDependencies, GrantUses } from '@behalf/delegation-grants';
import type { ExchangeCache, LentTokenCache } from '@behalf/exchange-cache';
import type { Bus, Clock, OneTimeStore, RateLimiter, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  KEY_ENCRYPTION_KEY,
  type Logger,
  LOGGER,
  ONE_TIME_STORE,
  RATE_LIMITER,
  RECORD_STORE,
} from '@behalf/service-kit';
import type { JwtSigner, SigningKeys } from '@behalf/signing-keys';
import { IssuerKeySets } from '@behalf/trusted-issuers';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { clientSecretsFrom } from './config.js';
import { exchangeDelegation } from './delegation/exchange-delegation.js';
import { fetchJson } from './fetch-json.js';
import type { IssuerKeys } from './issuer-keys.js';
import { openMutualTls } from './mutual-tls.js';
import { errorPage, signedOutPage, signOutPage } from './pages/message-pages.js';
import { ProviderHolder } from './provider-holder.js';
import { rateLimits, ratePurposes } from './rate-limits.js';
import { serverSecret } from './server-secrets.js';
import { thirdPartyTokens } from './third-party-tokens.js';
import {
  DELEGATION,
  EXCHANGE_CACHE,
  GRANT_USES,
  ISSUER_KEYS,
  LENT_TOKEN_CACHE,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
  SIGNER,
  SIGNING_KEYS,
} from './tokens.js';

/** A decision takes milliseconds; past this the policy service is down. */
const policyTimeoutMs = 2_000;
/** oidc-provider, with all that it stands on. */
export function oidcProvider({ config, fetch, environment }: AuthorizationServerOptions) {
  const server = config.authorizationServer;
  return {
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
            thirdParty: thirdPartyTokens(config, bus, lentTokens),
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
  };
}

async function decideAhead(evaluation: Evaluation, bus: Bus, ahead: RecordsAhead) {
  const { recording, ...answer } = await bus.request(
    evaluatePolicy,
    { ...evaluation, recordsAhead: ahead.id },
    { timeoutMs: policyTimeoutMs },
  );
  return { ...answer, ...(recording !== undefined && { recorded: ahead.settled(recording) }) };
}
