import { CompiledCedarEngine } from '@behalf/adapter-cedar';
import { CedarWasmParser } from '@behalf/adapter-cedar-parser';
import type { AuditLog } from '@behalf/audit';
import {
  ConditionalEngine,
  type MappingOptions,
  type PolicyEngine,
  RecordBudgetStore,
  RecordedApprovals,
} from '@behalf/policy';
import type { Bus, Clock, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import {
  AUDIT_LOG,
  BUS,
  CLOCK,
  KEY_ENCRYPTION_KEY,
  LOGGER,
  type Logger,
  RECORD_STORE,
} from '@behalf/service-kit';
import type { Provider, Type } from '@nestjs/common';
import { AdminAuthentication } from '../admin/admin-authentication.js';
import { CallerAuthentication } from '../http/caller-authentication.js';
import { PolicyAdminController } from '../admin/policy-admin.controller.js';
import { PolicyAdministration } from '../admin/policy-administration.js';
import { AccessRequestDesk } from '../approval/access-request-desk.js';
import { AccessRequestSubjects } from '../approval/access-request-subjects.js';
import { ApprovalController } from '../approval/approval.controller.js';
import { ApprovalPageController } from '../approval/page/approval-page.controller.js';
import { approvalPageProviders } from '../approval/page/approval-page-providers.js';
import type { PolicyServiceConfig } from '../config.js';
import type { ConditionPorts } from '../decision-point.js';
import { PolicySource } from '../policy-source.js';
import { POLICY_CONFIG, POLICY_ENGINE } from '../tokens.js';
import { DecisionRecorder } from './decision-recorder.js';
import { RecordPolicySource } from './record-policy-source.js';
import { ShadowPolicies } from './shadow-policies.js';
import { ToolPinView } from './tool-pin-view.js';

export const CONDITION_PORTS = Symbol('CONDITION_PORTS');
const parser = new CedarWasmParser();

/** Annotations for an engine; `whole` sees every bundle, so that a catalog or an oracle around it does, too. */
export function withConditions(whole: PolicyEngine): PolicyEngine {
  return new ConditionalEngine(whole, new CompiledCedarEngine(), parser);
}

/** An engine for a bundle that is not in force. */
export function newEngine(): PolicyEngine {
  return withConditions(new CompiledCedarEngine());
}

export function mappingOf(config: PolicyServiceConfig): MappingOptions {
  const { issuer, resourceTypes, personAttributes, numbers } = config;
  return { ownIssuer: issuer, resourceTypes, personAttributes, numbers };
}

/** The page stands before the API: both are at `approvals/<id>`, and the page lets whoever is no browser through. */
export const lifeControllers: Type[] = [PolicyAdminController, ApprovalPageController, ApprovalController];

/** Where policies come from, and everything that happens to them and to decisions besides deciding. */
export const lifeProviders: Provider[] = [
  ...approvalPageProviders,
  {
    provide: PolicySource,
    inject: [POLICY_CONFIG, POLICY_ENGINE, RECORD_STORE, LOGGER, BUS, CLOCK],
    useFactory: (
      { policiesFolder: folder, source }: PolicyServiceConfig,
      engine: PolicyEngine,
      records: RecordStore,
      logger: Logger,
      bus: Bus,
      clock: Clock,
    ) =>
      source === 'records'
        ? RecordPolicySource.open({ folder, engine, records, bus, clock, parser, logger })
        : PolicySource.open(folder, engine, records, logger),
  },
  {
    provide: ToolPinView,
    inject: [RECORD_STORE, BUS, LOGGER],
    useFactory: (records: RecordStore, bus: Bus, logger: Logger) => ToolPinView.open(records, bus, logger),
  },
  {
    provide: CONDITION_PORTS,
    inject: [RECORD_STORE, ToolPinView],
    useFactory: (records: RecordStore, pins: ToolPinView): ConditionPorts => ({
      budgets: new RecordBudgetStore(records),
      approvals: new RecordedApprovals(records),
      pinOf: pins.pinOf,
    }),
  },
  {
    provide: ShadowPolicies,
    inject: [RECORD_STORE, BUS, POLICY_ENGINE, LOGGER],
    useFactory: (records: RecordStore, bus: Bus, engine: PolicyEngine, logger: Logger) =>
      ShadowPolicies.open(records, bus, engine, newEngine, logger),
  },
  {
    provide: DecisionRecorder,
    inject: [POLICY_CONFIG, RECORD_STORE, KEY_ENCRYPTION_KEY, LOGGER],
    useFactory: (
      { decisionRecords }: PolicyServiceConfig,
      records: RecordStore,
      keyEncryptionKey: KeyEncryptionKey,
      logger: Logger,
    ) => new DecisionRecorder({ records, keyEncryptionKey, logger, ...decisionRecords }),
  },
  {
    provide: AdminAuthentication,
    inject: [POLICY_CONFIG, CallerAuthentication],
    useFactory: (config: PolicyServiceConfig, callers: CallerAuthentication) =>
      new AdminAuthentication(callers, config.publicUrl),
  },
  {
    provide: PolicyAdministration,
    inject: [
      POLICY_CONFIG,
      RECORD_STORE,
      CLOCK,
      AUDIT_LOG,
      POLICY_ENGINE,
      ShadowPolicies,
      KEY_ENCRYPTION_KEY,
    ],
    useFactory: (
      config: PolicyServiceConfig,
      records: RecordStore,
      clock: Clock,
      audit: AuditLog,
      engine: PolicyEngine,
      shadow: ShadowPolicies,
      keyEncryptionKey: KeyEncryptionKey,
    ) =>
      new PolicyAdministration({
        records,
        clock,
        audit,
        parser,
        engine,
        newEngine,
        shadow,
        keyEncryptionKey,
        mapping: mappingOf(config),
        source: config.source,
      }),
  },
  {
    provide: AccessRequestSubjects,
    inject: [BUS, AccessRequestDesk],
    useFactory: (bus: Bus, desk: AccessRequestDesk) => new AccessRequestSubjects(bus, desk),
  },
  {
    provide: AccessRequestDesk,
    inject: [POLICY_CONFIG, RECORD_STORE, CLOCK, AUDIT_LOG, POLICY_ENGINE, KEY_ENCRYPTION_KEY, ToolPinView],
    useFactory: (
      config: PolicyServiceConfig,
      records: RecordStore,
      clock: Clock,
      audit: AuditLog,
      engine: PolicyEngine,
      keyEncryptionKey: KeyEncryptionKey,
      pins: ToolPinView,
    ) =>
      new AccessRequestDesk({
        records,
        clock,
        audit,
        engine,
        keyEncryptionKey,
        mapping: mappingOf(config),
        pinOf: pins.pinOf,
        publicUrl: config.publicUrl,
        requestMs: config.approvalRequestSeconds * 1000,
        hasPage: config.approvalPage !== undefined,
      }),
  },
];
