import type { BehalfConfig } from '@behalf/config';
import type { Bus, Clock, OneTimeStore, Subscription } from '@behalf/ports';
import { AccessTokenVerifier, DpopNonces, SenderConstraints, remoteKeys } from '@behalf/resource-server';
import { RevocationView, followRevocations } from '@behalf/revocation';
import {
  BUS,
  CLOCK,
  CONFIG,
  type Infrastructure,
  LOGGER,
  type Logger,
  ONE_TIME_STORE,
  READINESS,
  type Readiness,
  type RunningService,
  bootstrapService,
} from '@behalf/service-kit';
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { type Environment, GATEWAY_SETTINGS, type GatewaySettings, gatewaySettings } from './config.js';
import { PolicyDecisions } from './enforcement/policy-decisions.js';
import { ToolDefinitions } from './enforcement/tool-definitions.js';
import { GatewayMiddleware } from './http/gateway.middleware.js';
import { McpEndpoint } from './http/mcp-endpoint.js';
import { MetadataDocuments } from './http/metadata-documents.js';
import { LiveRequests } from './http/live-requests.js';
import { DpopKey } from './upstream/dpop-key.js';
import { HttpTokenExchanger } from './upstream/http-token-exchanger.js';
import { TOKEN_EXCHANGER, type TokenExchanger } from './upstream/token-exchanger.js';
import { UPSTREAMS, type Upstreams, buildUpstreams } from './upstream/upstreams.js';

/** What a call is given to finish when the gateway closes, well within what the whole program has. */
const drainMs = 5_000;

/** The gateway's composition root. */
@Module({})
export class GatewayModule implements NestModule, OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  #subscriptions: Subscription[] = [];

  constructor(
    @Inject(UPSTREAMS) private readonly upstreams: Upstreams,
    @Inject(RevocationView) private readonly view: RevocationView,
    @Inject(LiveRequests) private readonly live: LiveRequests,
    @Inject(BUS) private readonly bus: Bus,
  ) {}

  static register(environment: Environment): DynamicModule {
    return {
      module: GatewayModule,
      providers: [
        {
          provide: GATEWAY_SETTINGS,
          inject: [CONFIG],
          useFactory: (config: BehalfConfig) => gatewaySettings(config, environment),
        },
        { provide: RevocationView, inject: [CLOCK], useFactory: (clock: Clock) => new RevocationView(clock) },
        {
          provide: LiveRequests,
          inject: [RevocationView, CLOCK],
          useFactory: (view: RevocationView, clock: Clock) => new LiveRequests(view, clock),
        },
        { provide: ToolDefinitions, useFactory: () => new ToolDefinitions() },
        { provide: TOKEN_EXCHANGER, inject: [GATEWAY_SETTINGS, CLOCK], useFactory: tokenExchanger },
        {
          provide: UPSTREAMS,
          inject: [GATEWAY_SETTINGS, TOKEN_EXCHANGER, ToolDefinitions, CLOCK, ONE_TIME_STORE, LOGGER],
          useFactory: buildUpstreams,
        },
        {
          provide: MetadataDocuments,
          inject: [GATEWAY_SETTINGS, CLOCK],
          useFactory: (settings: GatewaySettings, clock: Clock) => new MetadataDocuments(settings, clock),
        },
        {
          provide: McpEndpoint,
          inject: [
            GATEWAY_SETTINGS,
            ToolDefinitions,
            RevocationView,
            LiveRequests,
            CLOCK,
            BUS,
            ONE_TIME_STORE,
            LOGGER,
          ],
          useFactory: mcpEndpoint,
        },
        { provide: READINESS, inject: [RevocationView, UPSTREAMS], useFactory: readiness },
      ],
      exports: [READINESS],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(GatewayMiddleware).forRoutes('*path');
  }

  onModuleInit(): void {
    this.#subscriptions = [
      followRevocations(this.bus, this.view, {
        service: 'gateway',
        onRevoked: () => this.live.endRevoked(),
      }),
    ];
    for (const upstream of this.upstreams.values()) upstream.start();
  }

  /** Runs before the last requests are waited for: streams would keep them waiting. */
  onModuleDestroy(): void {
    this.live.endWithin(drainMs);
  }

  /** Runs after the last request has been answered. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    await Promise.all([...this.upstreams.values()].map((upstream) => upstream.close()));
  }
}

function tokenExchanger(
  { gateway, tokenEndpoint, tokenUrl, clientSecret, dpopKey }: GatewaySettings,
  clock: Clock,
): TokenExchanger {
  return new HttpTokenExchanger({
    tokenEndpoint,
    provedUrl: tokenUrl,
    key: new DpopKey(clock, dpopKey),
    clientId: gateway.clientId,
    clientSecret,
    timeoutMs: gateway.limits.exchangeTimeoutMs,
  });
}

function mcpEndpoint(
  { gateway, issuer, jwksUri, claimNames, sharedSecrets, certificates }: GatewaySettings,
  tools: ToolDefinitions,
  revocations: RevocationView,
  live: LiveRequests,
  clock: Clock,
  bus: Bus,
  oneTime: OneTimeStore,
  logger: Logger,
): McpEndpoint {
  return new McpEndpoint({
    limits: gateway.limits,
    checks: {
      verifier: new AccessTokenVerifier({ issuer, keys: remoteKeys(jwksUri), revocations, clock }),
      constraints: new SenderConstraints({
        clock,
        oneTime,
        nonces: new DpopNonces(sharedSecrets('dpop nonces'), clock),
        requireNonce: gateway.dpop.requireNonce,
      }),
      certificates,
    },
    policy: new PolicyDecisions(bus, gateway.limits.policyTimeoutMs, gateway.clientId),
    tools,
    claimNames,
    live,
    logger,
  });
}

function readiness(revocations: RevocationView, upstreams: Upstreams): Readiness {
  return {
    waitingFor: () => [
      ...(revocations.isCurrent ? [] : ['revocations']),
      ...[...upstreams.values()].flatMap((upstream) => upstream.waitingFor()),
    ],
  };
}

/** @param options.environment the process's own without it */
export function startGateway(
  infrastructure: Infrastructure,
  { environment = process.env }: { environment?: Environment } = {},
): Promise<RunningService> {
  return bootstrapService({
    name: 'gateway',
    module: GatewayModule.register(environment),
    listen: infrastructure.config.gateway.listen,
    infrastructure,
    // It keeps nothing; who decides does. Redis remembers proofs of possession that were used.
    standsOn: { needs: ['nats'], uses: ['redis'] },
  });
}
