import { type AuditLog, RecordsAhead } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { PolicyEngine } from '@behalf/policy';
import type { Bus, Clock, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  CONFIG,
  ConfiguredSecret,
  type Infrastructure,
  KEY_ENCRYPTION_KEY,
  LOGGER,
  type Logger,
  READINESS,
  RECORD_STORE,
  type RunningService,
  ServiceHealth,
  type StandsOn,
  bootstrapService,
} from '@behalf/service-kit';
import { Module } from '@nestjs/common';
import { buildEngine } from './build-engine.js';
import { DecisionSubjects } from './bus/decision-subjects.js';
import { type PolicyServiceConfig, policyServiceConfig } from './config.js';
import { DecisionGrants } from './decision-grants.js';
import { type ConditionPorts, DecisionPoint } from './decision-point.js';
import { EntityCatalog } from './entity-catalog.js';
import { ExtAuthzService } from './grpc/ext-authz.service.js';
import { ExtMcpService } from './grpc/ext-mcp.service.js';
import { GrpcServer } from './grpc/grpc-server.js';
import { type TokenExchanger, TokenEndpointExchanger } from './grpc/token-exchanger.js';
import { AuthzenErrorFilter } from './http/authzen-error.filter.js';
import { CallerAuthentication } from './http/caller-authentication.js';
import { CertifiedCallers } from './http/certified-callers.js';
import { evaluationRoutes } from './http/evaluation-routes.js';
import { ForwardAuthController } from './http/forward-auth.controller.js';
import { GatewayDialectsController } from './http/gateway-dialects.controller.js';
import { MetadataController } from './http/metadata.controller.js';
import { repeatBelow } from './http/repeat-below.js';
import { ReceiptsController } from './http/receipts.controller.js';
import { SearchController } from './http/search.controller.js';
import { serveBelow } from './http/serve-below.js';
import { DecisionRecorder } from './life/decision-recorder.js';
import {
  CONDITION_PORTS,
  lifeControllers,
  lifeProviders,
  mappingOf,
  withConditions,
} from './life/life-providers.js';
import { ShadowPolicies } from './life/shadow-policies.js';
import { MetadataSigner } from './metadata-signer.js';
import { PolicySource } from './policy-source.js';
import { ProxiedCalls } from './proxied-calls.js';
import { POLICY_CONFIG, POLICY_ENGINE, TOKEN_EXCHANGER } from './tokens.js';

/** The policy service. Asks its surroundings for the ports of `InfrastructureModule`. */
@Module({
  controllers: [
    SearchController,
    MetadataController,
    GatewayDialectsController,
    ForwardAuthController,
    ReceiptsController,
    ...lifeControllers,
  ],
  providers: [
    {
      provide: POLICY_CONFIG,
      inject: [CONFIG],
      useFactory: (config: BehalfConfig) => policyServiceConfig(config),
    },
    {
      provide: EntityCatalog,
      inject: [LOGGER],
      useFactory: (logger: Logger) => new EntityCatalog(buildEngine(logger)),
    },
    { provide: POLICY_ENGINE, inject: [EntityCatalog], useFactory: withConditions },
    ...lifeProviders,
    {
      provide: DecisionPoint,
      // PolicySource is named so that no decision is asked for before the first bundle is in.
      inject: [
        POLICY_ENGINE,
        POLICY_CONFIG,
        AUDIT_LOG,
        CLOCK,
        LOGGER,
        CONDITION_PORTS,
        DecisionRecorder,
        ShadowPolicies,
        PolicySource,
      ],
      useFactory: (
        engine: PolicyEngine,
        config: PolicyServiceConfig,
        audit: AuditLog,
        clock: Clock,
        logger: Logger,
        conditions: ConditionPorts,
        recorder: DecisionRecorder,
        shadow: ShadowPolicies,
      ) => {
        const mapping = mappingOf(config);
        return new DecisionPoint({
          engine,
          mapping,
          conditions,
          audit,
          receipts: config.receipts,
          clock,
          logger,
          maxInFlight: config.maxInFlight,
          accessRequestEndpoint: `${config.publicUrl}/access/v1/access-request`,
          onDecided: (decided) => {
            recorder.add(decided);
            const at = { ...mapping, nowMs: decided.decidedAtMs };
            shadow.compare(decided.evaluation, decided.answer.context?.id, at);
          },
        });
      },
    },
    {
      provide: CallerAuthentication,
      inject: [POLICY_CONFIG, CONFIG, BUS, CLOCK],
      useFactory: (
        config: PolicyServiceConfig,
        { policy, mutualTls }: BehalfConfig,
        bus: Bus,
        clock: Clock,
      ) =>
        CallerAuthentication.open(config, new CertifiedCallers(policy.callers, mutualTls, clock), bus, clock),
    },
    {
      provide: DecisionSubjects,
      inject: [BUS, DecisionPoint, DecisionGrants, AUDIT_LOG],
      useFactory: (bus: Bus, decisions: DecisionPoint, grants: DecisionGrants, audit: AuditLog) =>
        new DecisionSubjects(bus, decisions, grants, RecordsAhead.of(audit)),
    },
    {
      provide: DecisionGrants,
      inject: [POLICY_CONFIG, RECORD_STORE, KEY_ENCRYPTION_KEY, CLOCK],
      useFactory: (
        { publicUrl, vault }: PolicyServiceConfig,
        records: RecordStore,
        kek: KeyEncryptionKey,
        clock: Clock,
      ) =>
        new DecisionGrants(records, kek, clock, {
          issuer: publicUrl,
          audience: vault.publicUrl,
          lifetimeSeconds: vault.grantSeconds,
        }),
    },
    {
      provide: MetadataSigner,
      inject: [POLICY_CONFIG, RECORD_STORE, KEY_ENCRYPTION_KEY, CLOCK],
      useFactory: (
        { publicUrl }: PolicyServiceConfig,
        records: RecordStore,
        kek: KeyEncryptionKey,
        clock: Clock,
      ) => new MetadataSigner(records, kek, clock, publicUrl),
    },
    {
      provide: ProxiedCalls,
      inject: [DecisionPoint, LOGGER],
      useFactory: (decisions: DecisionPoint, logger: Logger) => new ProxiedCalls(decisions, logger),
    },
    {
      provide: TOKEN_EXCHANGER,
      inject: [POLICY_CONFIG],
      useFactory: (config: PolicyServiceConfig) => tokenExchanger(config),
    },
    {
      provide: GrpcServer,
      inject: [
        POLICY_CONFIG,
        DecisionPoint,
        ProxiedCalls,
        CallerAuthentication,
        LOGGER,
        TOKEN_EXCHANGER,
        ServiceHealth,
      ],
      useFactory: (
        config: PolicyServiceConfig,
        decisions: DecisionPoint,
        calls: ProxiedCalls,
        callers: CallerAuthentication,
        logger: Logger,
        exchanger: TokenExchanger | undefined,
        health: ServiceHealth,
      ) =>
        new GrpcServer(config, {
          extMcp: new ExtMcpService(decisions, callers, config, logger, exchanger),
          extAuthz: new ExtAuthzService(calls, callers, config),
          callers,
          health,
        }),
    },
    AuthzenErrorFilter,
    { provide: READINESS, useExisting: CallerAuthentication },
  ],
  exports: [READINESS],
})
export class PolicyModule {}

/** Off unless the configuration names the client that exchanges. */
function tokenExchanger({ dialects, tokenEndpoint }: PolicyServiceConfig): TokenExchanger | undefined {
  if (dialects.exchange === undefined) return undefined;
  const { clientId, clientSecretEnv } = dialects.exchange;
  const clientSecret = ConfiguredSecret.named(clientSecretEnv, process.env);
  return new TokenEndpointExchanger({ url: tokenEndpoint, clientId, clientSecret });
}

/** Who is asked on the bus cannot answer without it. Decisions go on without the database where they may go on unrecorded. */
function standsOn({ audit }: BehalfConfig): StandsOn {
  return audit.onFailure.decision === 'refuse'
    ? { needs: ['postgres', 'nats'], uses: ['redis'] }
    : { needs: ['nats'], uses: ['postgres', 'redis'] };
}

export function startPolicy(infrastructure: Infrastructure): Promise<RunningService> {
  return bootstrapService({
    name: 'policy',
    module: PolicyModule,
    listen: infrastructure.config.policy.listen,
    infrastructure,
    standsOn: standsOn(infrastructure.config),
    configure: (app) => {
      const { publicUrl, dialects } = infrastructure.config.policy;
      app.use(serveBelow(new URL(publicUrl).pathname));
      app.use(repeatBelow(dialects.extAuthzPath));
    },
    plainRoutes: (app) =>
      evaluationRoutes({
        decisions: app.get(DecisionPoint),
        callers: app.get(CallerAuthentication),
        faults: app.get(AuthzenErrorFilter),
        basePath: new URL(infrastructure.config.policy.publicUrl).pathname,
      }),
  });
}
