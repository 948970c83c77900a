import { asFetch, createGuardedFetch } from '@behalf/adapter-http';
import type { FetchDocument } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import type { ExchangeCache, LentTokenCache } from '@behalf/exchange-cache';
import type { Bus, Clock, RecordStore, Subscription } from '@behalf/ports';
import {
  bootstrapService,
  BUS,
  CLOCK,
  type Infrastructure,
  type Logger,
  LOGGER,
  RECORD_STORE,
  type RunningService,
} from '@behalf/service-kit';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import type { AuditCheckpoints } from './audit-checkpoints.js';
import { answerChains } from './bus/answer-chains.js';
import { answerRevocations } from './bus/answer-revocations.js';
import { AccountChangesController } from './http/account-changes.controller.js';
import { followCacheEvents } from './bus/follow-cache-events.js';
import { AccountController } from './http/account.controller.js';
import { AdminController } from './http/admin.controller.js';
import { ExplainController } from './http/explain.controller.js';
import { AgentDocumentController } from './http/agent-document.controller.js';
import { AgentsController } from './http/agents.controller.js';
import { AuditController } from './http/audit.controller.js';
import { ConsentController } from './http/consent.controller.js';
import { DelegationController } from './http/delegation.controller.js';
import { GrantsController } from './http/grants.controller.js';
import { InteractionController } from './http/interaction.controller.js';
import { RevocationsController } from './http/revocations.controller.js';
import { routeToProvider } from './http/route-to-provider.js';
import { SignalsController } from './http/signals.controller.js';
import { StreamsController } from './http/streams.controller.js';
import { TransmitterMetadataController } from './http/transmitter-metadata.controller.js';
import { SignInController } from './http/sign-in.controller.js';
import { tokenRoute } from './http/token-route.js';
import { SignInCallbackController } from './http/sign-in-callback.controller.js';
import { IssuerClock } from './issuer-clock.js';
import type { KeyRotation } from './key-rotation.js';
import type { ProviderHolder } from './provider-holder.js';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { buildProviders } from './providers.js';
import type { SignalPoller } from './shared-signals/signal-poller.js';
import type { SignalTransmitter } from './shared-signals/signal-transmitter.js';
import {
  AUDIT_CHECKPOINTS,
  EXCHANGE_CACHE,
  KEY_ROTATION,
  LENT_TOKEN_CACHE,
  PROVIDER_HOLDER,
  SIGNAL_POLLER,
  SIGNAL_TRANSMITTER,
} from './tokens.js';

// Metadata documents end at 5 KB, which oidc-provider counts; key sets may be larger.
const maxDocumentBytes = 64 * 1024;
const fetchTimeoutMs = 2_500;

@Module({ controllers: [InteractionController, SignInController, ConsentController] })
class InteractionModule {}

@Module({ controllers: [SignInCallbackController] })
class SignInCallbackModule {}

@Module({
  controllers: [
    AdminController,
    AuditController,
    AgentsController,
    ExplainController,
    GrantsController,
    RevocationsController,
  ],
})
class AdminModule {}

@Module({ controllers: [AgentDocumentController] })
class AgentDocumentModule {}

@Module({ controllers: [AccountController, AccountChangesController] })
class AccountModule {}

@Module({ controllers: [StreamsController] })
class SharedSignalsModule {}

@Module({ controllers: [SignalsController] })
class SignalsModule {}

@Module({ controllers: [TransmitterMetadataController] })
class TransmitterMetadataModule {}

@Module({ controllers: [DelegationController] })
class DelegationModule {}

/** Binds the ports to the authorization server's parts. */
@Module({})
export class AuthorizationServerModule implements OnModuleInit, OnApplicationShutdown {
  #subscriptions: Subscription[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(RECORD_STORE) private readonly records: RecordStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEY_ROTATION) private readonly rotation: KeyRotation,
    @Inject(AUDIT_CHECKPOINTS) private readonly checkpoints: AuditCheckpoints,
    @Inject(EXCHANGE_CACHE) private readonly cache: ExchangeCache,
    @Inject(LENT_TOKEN_CACHE) private readonly lentTokens: LentTokenCache,
    @Inject(PROVIDER_HOLDER) private readonly holder: ProviderHolder,
    @Inject(SIGNAL_TRANSMITTER) private readonly signals: SignalTransmitter,
    @Inject(SIGNAL_POLLER) private readonly signalPoller: SignalPoller,
    @Inject(IssuerClock) private readonly issuerClock: IssuerClock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.issuerClock.start();
    this.checkpoints.start();
    this.signalPoller.start();
    this.#subscriptions = [
      answerRevocations(this.bus, this.records, this.clock),
      answerChains(this.bus, this.holder),
      this.rotation.follow(this.bus, {
        onFault: (err) => this.logger.error({ err }, 'new signing keys were not put to use'),
      }),
      ...followCacheEvents(this.bus, this.cache, this.lentTokens),
      ...this.signals.start(this.bus),
    ];
  }

  async onApplicationShutdown(): Promise<void> {
    this.issuerClock.stop();
    this.checkpoints.stop();
    await this.signals.stop();
    await this.signalPoller.stop();
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }

  static register(options: AuthorizationServerOptions): DynamicModule {
    const { paths, sharedSignals } = options.config.authorizationServer;
    // Where nobody may be told, there is nothing to ask for.
    const transmits = sharedSignals.receivers.length > 0;
    const hears = sharedSignals.transmitters.some(({ poll }) => !poll);
    const providers = buildProviders(options);
    return {
      module: AuthorizationServerModule,
      global: true,
      imports: [
        InteractionModule,
        SignInCallbackModule,
        AdminModule,
        AgentDocumentModule,
        AccountModule,
        DelegationModule,
        ...(transmits ? [SharedSignalsModule, TransmitterMetadataModule] : []),
        ...(hears ? [SignalsModule] : []),
        RouterModule.register([
          { path: paths.interaction, module: InteractionModule },
          { path: paths.signInCallback, module: SignInCallbackModule },
          { path: paths.admin, module: AdminModule },
          { path: paths.agents, module: AgentDocumentModule },
          { path: paths.account, module: AccountModule },
          { path: paths.delegations, module: DelegationModule },
          ...(transmits ? [{ path: paths.sharedSignals, module: SharedSignalsModule }] : []),
          ...(hears ? [{ path: paths.sharedSignals, module: SignalsModule }] : []),
        ]),
      ],
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}

export interface StartOptions {
  /** Fetches documents that strangers name; the guarded fetch without it. */
  fetch?: FetchDocument;
  environment?: Readonly<Record<string, string | undefined>>;
}

/** Starts the authorization server on ports that the caller has opened and will close. */
export async function startAuthorizationServer(
  infrastructure: Omit<Infrastructure, 'logger'> & Partial<Pick<Infrastructure, 'logger'>>,
  options: StartOptions = {},
): Promise<RunningService> {
  const { config } = infrastructure;
  const { fetch = guardedFetch(config), environment = process.env } = options;
  return bootstrapService({
    name: 'authorization-server',
    module: AuthorizationServerModule.register({
      config,
      fetch,
      environment,
      databaseTimeMs: infrastructure.databaseTimeMs,
    }),
    listen: config.authorizationServer.listen,
    infrastructure: infrastructure as Infrastructure,
    // Without NATS nothing is exchanged, and without Redis nobody signs in. Tokens are still revoked and introspected, and
    // keys published, which everybody else depends on.
    standsOn: { needs: ['postgres'], uses: ['redis', 'nats'] },
    configure: (app) => {
      const holder = app.get<ProviderHolder>(PROVIDER_HOLDER);
      app.use(routeToProvider(config.authorizationServer, holder, infrastructure.rateLimiter));
    },
    plainRoutes: (app) =>
      tokenRoute(config.authorizationServer, app.get<ProviderHolder>(PROVIDER_HOLDER), (err) =>
        app.get<Logger>(LOGGER).error({ err }, 'server_error'),
      ),
  });
}

function guardedFetch({ development }: BehalfConfig): FetchDocument {
  return asFetch(
    createGuardedFetch({
      allowLoopback: development.allowLoopbackFetch,
      maxBytes: maxDocumentBytes,
      timeoutMs: fetchTimeoutMs,
    }),
  );
}
