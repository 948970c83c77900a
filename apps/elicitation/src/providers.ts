import type { AuditLog } from '@behalf/audit';
import type { ElicitationDependencies } from '@behalf/elicitation';
import { PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { Clock, OneTimeStore, RecordStore } from '@behalf/ports';
import { AccessTokenVerifier, remoteKeys } from '@behalf/resource-server';
import { RevocationView } from '@behalf/revocation';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  CLOCK,
  KEY_ENCRYPTION_KEY,
  ONE_TIME_STORE,
  READINESS,
  RECORD_STORE,
  type Readiness,
} from '@behalf/service-kit';
import type { ThirdParties } from '@behalf/third-party';
import type { Vault } from '@behalf/vault';
import type { Provider } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from './config.js';
import { ElicitationDesk } from './elicitation-desk.js';
import { ElicitationWaits } from './elicitation-waits.js';
import { EndedAccounts } from './ended-accounts.js';
import { ProviderCatalog } from './provider-catalog.js';
import { ProviderEvents } from './provider-events.js';
import { ProviderRoundTrip } from './provider-round-trip.js';
import { THIRD_PARTIES, VAULT } from './tokens.js';
import { vaultTokens } from './vault-tokens.js';

/** As long as the way to a provider and back may take, and a little more to look around. */
const sessionSeconds = 900;

/** What elicitations are made and finished with. */
export const domainProviders: Provider[] = [
  { provide: ElicitationWaits, useFactory: () => new ElicitationWaits() },
  {
    provide: EndedAccounts,
    inject: [RECORD_STORE, CLOCK, AUDIT_LOG],
    useFactory: (records: RecordStore, clock: Clock, audit: AuditLog) =>
      new EndedAccounts(records, clock, audit),
  },
  {
    provide: ElicitationDesk,
    inject: [
      ELICITATION_CONFIG,
      RECORD_STORE,
      CLOCK,
      KEY_ENCRYPTION_KEY,
      AUDIT_LOG,
      ElicitationWaits,
      ProviderCatalog,
      VAULT,
    ],
    useFactory: (
      { publicUrl, paths, elicitationSeconds }: ElicitationServiceConfig,
      records: RecordStore,
      clock: Clock,
      keyEncryptionKey: KeyEncryptionKey,
      audit: AuditLog,
      waits: ElicitationWaits,
      providers: ProviderCatalog,
      vault: Vault,
    ) => {
      const dependencies: ElicitationDependencies = {
        records,
        clock,
        keyEncryptionKey,
        audit,
        tokens: vaultTokens(vault, providers),
        findProvider: (resource) => providers.findByResource(resource),
        waitForChange: (id, timeoutMs) => waits.wait(id, timeoutMs),
        newId: randomUUID,
        elicitationSeconds,
        connectUrl: `${publicUrl}${paths.connect}`,
        pollUrl: `${publicUrl}${paths.elicitations}`,
      };
      return new ElicitationDesk({ dependencies, providers, vault, audit });
    },
  },
];

/** Who a request comes from, and where people and providers are sent. */
export const edgeProviders: Provider[] = [
  {
    provide: ProviderEvents,
    inject: [VAULT, RECORD_STORE, AUDIT_LOG, CLOCK],
    useFactory: (vault: Vault, records: RecordStore, audit: AuditLog, clock: Clock) =>
      new ProviderEvents({ vault, records, audit, clock }),
  },
  {
    provide: PersonSignIn,
    inject: [ELICITATION_CONFIG, ONE_TIME_STORE],
    useFactory: (
      { issuer, reachIssuer, publicUrl, paths, client }: ElicitationServiceConfig,
      oneTime: OneTimeStore,
    ) =>
      client &&
      new PersonSignIn(
        {
          issuer,
          reachIssuer,
          publicUrl,
          callbackPath: paths.signInCallback,
          clientId: client.id,
          clientSecret: () => client.secret.newest(),
          name: 'connections',
        },
        oneTime,
      ),
  },
  {
    provide: PersonSessions,
    inject: [ELICITATION_CONFIG, KEY_ENCRYPTION_KEY, CLOCK],
    useFactory: ({ publicUrl }: ElicitationServiceConfig, key: KeyEncryptionKey, clock: Clock) =>
      new PersonSessions({ publicUrl, name: 'connections', sessionSeconds }, key, clock),
  },
  {
    provide: ProviderRoundTrip,
    inject: [ELICITATION_CONFIG, THIRD_PARTIES, ONE_TIME_STORE],
    useFactory: (
      { publicUrl, paths }: ElicitationServiceConfig,
      thirdParties: ThirdParties,
      oneTime: OneTimeStore,
    ) => new ProviderRoundTrip(thirdParties, oneTime, { publicUrl, callbackPath: paths.callback }),
  },
  { provide: RevocationView, inject: [CLOCK], useFactory: (clock: Clock) => new RevocationView(clock) },
  {
    provide: AccessTokenVerifier,
    inject: [ELICITATION_CONFIG, RevocationView, CLOCK],
    useFactory: ({ issuer, jwksUri }: ElicitationServiceConfig, revocations: RevocationView, clock: Clock) =>
      new AccessTokenVerifier({ issuer, keys: remoteKeys(jwksUri), revocations, clock }),
  },
  {
    provide: READINESS,
    inject: [RevocationView],
    useFactory: (revocations: RevocationView): Readiness => ({
      waitingFor: () => (revocations.isCurrent ? [] : ['revocations']),
    }),
  },
];
