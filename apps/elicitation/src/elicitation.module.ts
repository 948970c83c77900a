import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { type ElicitationDependencies, expireElicitations } from '@behalf/elicitation';
import { PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { Bus, Clock, OneTimeStore, RecordStore, Subscription } from '@behalf/ports';
import { AccessTokenVerifier, remoteKeys } from '@behalf/resource-server';
import { RevocationView, followRevocations } from '@behalf/revocation';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  CONFIG,
  type Infrastructure,
  KEY_ENCRYPTION_KEY,
  LOGGER,
  type Logger,
  ONE_TIME_STORE,
  READINESS,
  RECORD_STORE,
  type Readiness,
  type RunningService,
  bootstrapService,
} from '@behalf/service-kit';
import type { OutboundRelay, Provider as ThirdParty, ThirdParties } from '@behalf/third-party';
import type { Vault, VaultOperator } from '@behalf/vault';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AdminAuthorization } from './admin/admin-authorization.js';
import { vaultAdminController } from './admin/vault-admin.controller.js';
import { answerEndedAccounts } from './bus/answer-ended-accounts.js';
import { answerTokenRequests } from './bus/answer-token-requests.js';
import { followEnds } from './bus/follow-ends.js';
import { ELICITATION_CONFIG, type ElicitationServiceConfig, elicitationServiceConfig } from './config.js';
import { ElicitationDesk } from './elicitation-desk.js';
import { ElicitationWaits } from './elicitation-waits.js';
import { EndedAccounts } from './ended-accounts.js';
import { ChainDirectory } from './forward/chain-directory.js';
import { ForwardDesk } from './forward/forward-desk.js';
import {
  FORWARD_SETTINGS,
  type TokenChecks,
  forwardSettings,
  tokenChecks,
} from './forward/forward-settings.js';
import { LiveCalls } from './forward/live-calls.js';
import { callbackController } from './http/callback.controller.js';
import { connectController } from './http/connect.controller.js';
import { connectionsController } from './http/connections.controller.js';
import { forwardController } from './http/forward.controller.js';
import { MetadataController, clientMetadataController } from './http/metadata.controller.js';
import { nothingConfiguredController } from './http/nothing-configured.controller.js';
import { providerEventsController } from './http/provider-events.controller.js';
import { signInCallbackController } from './http/sign-in-callback.controller.js';
import { taskController } from './http/task.controller.js';
import { ProviderCatalog } from './provider-catalog.js';
import { ProviderEvents } from './provider-events.js';
import { ProviderRoundTrip } from './provider-round-trip.js';
import { thirdPartyParts } from './third-party-parts.js';
import { OUTBOUND_RELAY, THIRD_PARTIES, TOKEN_CHECKS, VAULT, VAULT_OPERATOR } from './tokens.js';
import { vaultTokens } from './vault-tokens.js';
import { VaultUpkeep, type VaultWork } from './vault-upkeep.js';

/** As long as the way to a provider and back may take, and a little more to look around. */
const sessionSeconds = 900;

/** What a forwarded call is given to finish when the service closes. */
const drainMs = 5_000;

/** What this service speaks to third parties with, and keeps their credentials in. */
export interface ThirdPartyParts {
  providers: readonly ThirdParty[];
  thirdParties: ThirdParties;
  vault: Vault;
  /** How calls are forwarded. */
  relay: OutboundRelay;
  /** The vault as operators use it; without it there is no administration. */
  operator?: VaultOperator;
  /** What the vault has to do by itself. */
  upkeep?: VaultWork;
}

/** How often those who listen are told what nobody has finished in time. */
const expireEveryMs = 30_000;

/** The elicitation service: the broker to third-party authorization servers. */
@Module({})
export class ElicitationModule implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  #subscriptions: Subscription[] = [];
  #drain: NodeJS.Timeout | undefined;
  #expiring: NodeJS.Timeout | undefined;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(ElicitationDesk) private readonly desk: ElicitationDesk,
    @Inject(ElicitationWaits) private readonly waits: ElicitationWaits,
    @Inject(EndedAccounts) private readonly ended: EndedAccounts,
    @Inject(RevocationView) private readonly revocations: RevocationView,
    @Inject(LiveCalls) private readonly calls: LiveCalls,
    @Inject(VAULT) private readonly vault: Vault,
  ) {}

  static register(config: ElicitationServiceConfig, parts: ThirdPartyParts): DynamicModule {
    const { paths, client } = config;
    return {
      module: ElicitationModule,
      controllers:
        client === undefined
          ? [nothingConfiguredController(paths)]
          : [
              connectController(paths),
              callbackController(paths),
              signInCallbackController(paths),
              connectionsController(paths),
              taskController(paths),
              forwardController(paths),
              providerEventsController(paths),
              ...(parts.operator ? [vaultAdminController(paths)] : []),
              MetadataController,
              clientMetadataController(paths),
            ],
      providers: [
        { provide: ELICITATION_CONFIG, useValue: config },
        { provide: ProviderCatalog, useValue: new ProviderCatalog(parts.providers) },
        { provide: THIRD_PARTIES, useValue: parts.thirdParties },
        { provide: VAULT, useValue: parts.vault },
        { provide: OUTBOUND_RELAY, useValue: parts.relay },
        { provide: VAULT_OPERATOR, useValue: parts.operator },
        {
          provide: VaultUpkeep,
          inject: [LOGGER],
          useFactory: (logger: Logger) => new VaultUpkeep(parts.upkeep, logger),
        },
        ...domainProviders,
        ...edgeProviders,
        ...forwardProviders,
      ],
      exports: [READINESS],
    };
  }

  onModuleInit(): void {
    const { bus, records, clock, ended, calls } = this;
    this.#expiring = setInterval(() => {
      // It has expired whether or not that is written down, and is looked at again.
      expireElicitations(records, clock.nowMs()).catch(() => {});
    }, expireEveryMs).unref();
    this.#subscriptions = [
      this.waits.follow(bus),
      followRevocations(bus, this.revocations, { onRevoked: () => calls.endRevoked() }),
      answerTokenRequests(bus, this.desk, clock),
      answerEndedAccounts(bus, this.vault),
      ...followEnds(bus, { records, clock, ended, calls }),
    ];
  }

  onModuleDestroy(): void {
    clearInterval(this.#expiring);
    this.waits.end();
    this.#drain = setTimeout(() => this.calls.endAll(), drainMs);
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.#drain);
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }
}

const domainProviders: Provider[] = [
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

const edgeProviders: Provider[] = [
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
          clientSecret: client.secret,
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

const forwardProviders: Provider[] = [
  {
    provide: FORWARD_SETTINGS,
    inject: [CONFIG, ELICITATION_CONFIG],
    useFactory: (config: BehalfConfig, { client }: ElicitationServiceConfig) =>
      forwardSettings(config, client?.secret ?? ''),
  },
  {
    provide: TOKEN_CHECKS,
    inject: [FORWARD_SETTINGS, AccessTokenVerifier, CLOCK, ONE_TIME_STORE],
    useFactory: tokenChecks,
  },
  {
    provide: AdminAuthorization,
    inject: [TOKEN_CHECKS, ELICITATION_CONFIG],
    useFactory: (checks: TokenChecks, { publicUrl }: ElicitationServiceConfig) =>
      new AdminAuthorization(checks, publicUrl),
  },
  {
    provide: LiveCalls,
    inject: [AccessTokenVerifier],
    useFactory: (verifier: AccessTokenVerifier) => new LiveCalls(verifier),
  },
  {
    provide: ForwardDesk,
    inject: [ElicitationDesk, BUS, AUDIT_LOG, CLOCK],
    useFactory: (desk: ElicitationDesk, bus: Bus, audit: AuditLog, clock: Clock) =>
      new ForwardDesk({ desk, chains: new ChainDirectory(bus), bus, audit, clock }),
  },
];

export function startElicitation(
  infrastructure: Infrastructure,
  parts: ThirdPartyParts = thirdPartyParts(infrastructure),
): Promise<RunningService> {
  const config = elicitationServiceConfig(infrastructure.config);
  return bootstrapService({
    name: 'elicitation',
    module: ElicitationModule.register(config, parts),
    listen: infrastructure.config.elicitation.listen,
    infrastructure,
  });
}
