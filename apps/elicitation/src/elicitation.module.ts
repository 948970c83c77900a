import { expireElicitations } from '@behalf/elicitation';
import type { Bus, Clock, EventLog, RecordStore, Subscription } from '@behalf/ports';
import { RevocationView, followRevocations } from '@behalf/revocation';
import {
  BUS,
  CLOCK,
  type Infrastructure,
  EVENT_LOG,
  LOGGER,
  type Logger,
  READINESS,
  RECORD_STORE,
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
} from '@nestjs/common';
import { vaultAdminController } from './admin/vault-admin.controller.js';
import { answerEndedAccounts } from './bus/answer-ended-accounts.js';
import { answerTokenRequests } from './bus/answer-token-requests.js';
import { followEnds } from './bus/follow-ends.js';
import { ELICITATION_CONFIG, type ElicitationServiceConfig, elicitationServiceConfig } from './config.js';
import { ElicitationDesk } from './elicitation-desk.js';
import { ElicitationWaits } from './elicitation-waits.js';
import { EndedAccounts } from './ended-accounts.js';
import { forwardProviders } from './forward/forward-providers.js';
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
import { domainProviders, edgeProviders } from './providers.js';
import { thirdPartyParts } from './third-party-parts.js';
import { OUTBOUND_RELAY, THIRD_PARTIES, VAULT, VAULT_OPERATOR } from './tokens.js';
import { VaultUpkeep, type VaultWork } from './vault-upkeep.js';

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
    @Inject(EVENT_LOG) private readonly events: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
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

  async onModuleInit(): Promise<void> {
    const { bus, events, records, clock, ended, calls, logger } = this;
    this.#expiring = setInterval(() => {
      // It has expired whether or not that is written down, and is looked at again.
      expireElicitations(records, clock.nowMs()).catch(() => {});
    }, expireEveryMs).unref();
    this.#subscriptions = [
      this.waits.follow(bus),
      followRevocations(bus, this.revocations, {
        service: 'elicitation',
        onRevoked: () => calls.endRevoked(),
      }),
      answerTokenRequests(bus, this.desk, clock),
      answerEndedAccounts(bus, this.vault),
    ];
    this.#subscriptions.push(
      ...(await followEnds({ bus, events, records, clock }, { ended, calls, logger })),
    );
  }

  onModuleDestroy(): void {
    clearInterval(this.#expiring);
    this.waits.end();
    this.calls.endWithin(drainMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }
}

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
    // Without Redis nobody can connect an account; tokens of those that are connected are there.
    standsOn: { needs: ['postgres', 'nats'], uses: ['redis'] },
  });
}
