import { createGuardedRelay, createGuardedRequest } from '@behalf/adapter-http';
import { MemoryCache } from '@behalf/adapter-memory';
import { ConfigError } from '@behalf/config';
import { listDecisionGrantKeys } from '@behalf/contracts';
import { verifyDecisionGrant } from '@behalf/decision-grant';
import { ConfiguredSecret, type Infrastructure } from '@behalf/service-kit';
import { ThirdPartyClient, resolveProviders } from '@behalf/third-party';
import {
  SealedClientRegistrations,
  SealedVault,
  type VaultDependencies,
  VaultOperator,
  isRewrapped,
  retryRevocations,
  rewrapBatch,
} from '@behalf/vault';
import { setTimeout } from 'node:timers/promises';
import { GrantKeys } from './grant-keys.js';
import type { ThirdPartyParts } from './elicitation.module.js';
import { openVaultKeys } from './open-vault-keys.js';

const grantKeysTimeoutMs = 3_000;
const maxAnswerBytes = 256 * 1024;
/** The longest the vault itself waits for a refresh is shorter. */
export const thirdPartyTimeoutMs = 25_000;
const maxSeenVersions = 100_000;

/**
 * What the elicitation service speaks to third parties with, and keeps their credentials in, on what it was given.
 *
 * @throws ConfigError
 */
export function thirdPartyParts(
  infrastructure: Infrastructure,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ThirdPartyParts {
  const { config, clock, records, bus, leases, oneTime, rateLimiter, audit, logger } = infrastructure;
  const { publicUrl, paths, vault } = config.elicitation;
  const { allowLoopbackFetch, allowLoopbackProviders } = config.development;
  const allowLoopback = allowLoopbackFetch || allowLoopbackProviders;
  const providers = resolveProviders(
    config.elicitation.providers,
    environment,
    ConfiguredSecret.presentedFrom(environment),
  );
  if (providers.length > 0 && config.elicitation.client === undefined) {
    throw new ConfigError([
      'elicitation.client: needed, so that people can sign in before they connect anything',
    ]);
  }
  const keys = openVaultKeys(vault, infrastructure.keyEncryptionKey, clock, environment);
  const thirdParties = new ThirdPartyClient({
    http: createGuardedRequest({ allowLoopback, maxBytes: maxAnswerBytes, timeoutMs: thirdPartyTimeoutMs }),
    clock,
    allowLoopback,
    clientMetadataUrl: `${publicUrl}${paths.clientMetadata}`,
    registrations: new SealedClientRegistrations(records, keys),
  });
  const grantKeys = new GrantKeys(clock, () =>
    bus.request(listDecisionGrantKeys, {}, { timeoutMs: grantKeysTimeoutMs }),
  );
  const dependencies: VaultDependencies = {
    records,
    keys,
    leases,
    seenVersions: infrastructure.sharedCache ?? new MemoryCache(clock, { maxEntries: maxSeenVersions }),
    rateLimiter,
    audit,
    clock,
    thirdParties,
    providers,
    verifyGrant: (token) =>
      verifyDecisionGrant(token, {
        issuer: config.policy.publicUrl,
        audience: publicUrl,
        keys: grantKeys.find,
        oneTime,
        nowMs: clock.nowMs(),
      }),
    opensPerMinute: vault.opensPerMinute,
    wait: (ms) => setTimeout(ms),
    random: Math.random,
    onFault: (what, err) => logger.warn({ err }, what),
  };
  return {
    providers,
    thirdParties,
    vault: new SealedVault(dependencies),
    operator: new VaultOperator(dependencies),
    relay: createGuardedRelay({ allowLoopback }),
    upkeep: {
      retryRevocations: () => retryRevocations(dependencies),
      rewrap: async () => {
        if (await isRewrapped(dependencies)) return false;
        const { keyId, moved, failed, finishedAtMs } = await rewrapBatch(dependencies);
        if (finishedAtMs === undefined) return true;
        const counts = { key: keyId, moved, failed };
        if (failed > 0)
          logger.error(counts, 'data keys of the vault could not be moved; keep the former key');
        else if (moved > 0) logger.info(counts, 'the data keys of the vault were moved to the current key');
        return false;
      },
    },
  };
}
