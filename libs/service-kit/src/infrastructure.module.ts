import type { AuditLeaves, AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type {
  Bus,
  Cache,
  Clock,
  EventLog,
  LeaseStore,
  OneTimeStore,
  RateLimiter,
  RecordStore,
} from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { type DynamicModule, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Logger } from './logger.js';
import { type ServerChecks, ServiceHealth, type StandsOn } from './service-health.js';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  CONFIG,
  EVENT_LOG,
  KEY_ENCRYPTION_KEY,
  LOGGER,
  ONE_TIME_STORE,
  RATE_LIMITER,
  RECORD_STORE,
  SHARED_CACHE,
} from './tokens.js';

/** One adapter for every port, opened by the caller and closed by the caller after the services. */
export interface Infrastructure {
  config: BehalfConfig;
  clock: Clock;
  /** The time that all processes share, in milliseconds since the epoch; none where there is one process only. */
  databaseTimeMs?: () => Promise<number>;
  records: RecordStore;
  oneTime: OneTimeStore;
  rateLimiter: RateLimiter;
  /** What all processes of a service share; none where there is one process only. */
  sharedCache?: Cache<string> | undefined;
  leases: LeaseStore;
  bus: Bus;
  events: EventLog;
  audit: AuditLog & AuditLeaves;
  keyEncryptionKey: KeyEncryptionKey;
  logger: Logger;
  /** Of the servers that it is on; what is embedded is not among them. */
  servers?: ServerChecks;
}

/** Makes the ports available to every module of a service. */
@Module({})
export class InfrastructureModule {
  static register(infrastructure: Infrastructure, standsOn: StandsOn): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: infrastructure.config },
      { provide: CLOCK, useValue: infrastructure.clock },
      { provide: RECORD_STORE, useValue: infrastructure.records },
      { provide: ONE_TIME_STORE, useValue: infrastructure.oneTime },
      { provide: RATE_LIMITER, useValue: infrastructure.rateLimiter },
      { provide: SHARED_CACHE, useValue: infrastructure.sharedCache },
      { provide: BUS, useValue: infrastructure.bus },
      { provide: EVENT_LOG, useValue: infrastructure.events },
      { provide: AUDIT_LOG, useValue: infrastructure.audit },
      { provide: KEY_ENCRYPTION_KEY, useValue: infrastructure.keyEncryptionKey },
      { provide: LOGGER, useValue: infrastructure.logger },
      {
        provide: ServiceHealth,
        inject: [ModuleRef],
        useFactory: (modules: ModuleRef) =>
          new ServiceHealth(modules, infrastructure.servers ?? {}, standsOn),
      },
    ];
    return { module: InfrastructureModule, global: true, providers, exports: providers };
  }
}
