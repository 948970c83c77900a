import { CedarWasmEngine } from '@behalf/adapter-cedar';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { PolicyEngine } from '@behalf/policy';
import type { Bus, Clock, RecordStore } from '@behalf/ports';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  CONFIG,
  type Infrastructure,
  LOGGER,
  type Logger,
  READINESS,
  RECORD_STORE,
  type RunningService,
  bootstrapService,
} from '@behalf/service-kit';
import { Module } from '@nestjs/common';
import { DecisionSubjects } from './bus/decision-subjects.js';
import { type PolicyServiceConfig, policyServiceConfig } from './config.js';
import { DecisionPoint } from './decision-point.js';
import { CallerAuthentication } from './http/caller-authentication.js';
import { EvaluationController } from './http/evaluation.controller.js';
import { MetadataController } from './http/metadata.controller.js';
import { serveBelow } from './http/serve-below.js';
import { PolicySource } from './policy-source.js';
import { POLICY_CONFIG, POLICY_ENGINE } from './tokens.js';

/** The policy service. Asks its surroundings for the ports of `InfrastructureModule`. */
@Module({
  controllers: [EvaluationController, MetadataController],
  providers: [
    {
      provide: POLICY_CONFIG,
      inject: [CONFIG],
      useFactory: (config: BehalfConfig) => policyServiceConfig(config),
    },
    { provide: POLICY_ENGINE, useFactory: () => new CedarWasmEngine() },
    {
      provide: PolicySource,
      inject: [POLICY_CONFIG, POLICY_ENGINE, RECORD_STORE, LOGGER],
      useFactory: (config: PolicyServiceConfig, engine: PolicyEngine, records: RecordStore, logger: Logger) =>
        PolicySource.open(config.policiesFolder, engine, records, logger),
    },
    {
      provide: DecisionPoint,
      // PolicySource is named so that no decision is asked for before the first bundle is in.
      inject: [POLICY_ENGINE, POLICY_CONFIG, AUDIT_LOG, CLOCK, LOGGER, PolicySource],
      useFactory: (
        engine: PolicyEngine,
        config: PolicyServiceConfig,
        audit: AuditLog,
        clock: Clock,
        logger: Logger,
      ) => new DecisionPoint({ engine, ownIssuer: config.issuer, audit, clock, logger }),
    },
    {
      provide: CallerAuthentication,
      inject: [POLICY_CONFIG, BUS, CLOCK],
      useFactory: (config: PolicyServiceConfig, bus: Bus, clock: Clock) =>
        CallerAuthentication.open(config, bus, clock),
    },
    {
      provide: DecisionSubjects,
      inject: [BUS, DecisionPoint],
      useFactory: (bus: Bus, decisions: DecisionPoint) => new DecisionSubjects(bus, decisions),
    },
    { provide: READINESS, useExisting: CallerAuthentication },
  ],
  exports: [READINESS],
})
export class PolicyModule {}

export function startPolicy(infrastructure: Infrastructure): Promise<RunningService> {
  return bootstrapService({
    name: 'policy',
    module: PolicyModule,
    listen: infrastructure.config.policy.listen,
    infrastructure,
    configure: (app) => void app.use(serveBelow(new URL(infrastructure.config.policy.publicUrl).pathname)),
  });
}
