import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { Bus, Clock } from '@behalf/ports';
import { AccessTokenVerifier } from '@behalf/resource-server';
import { AUDIT_LOG, BUS, CLOCK, CONFIG, ConfiguredSecret, ONE_TIME_STORE } from '@behalf/service-kit';
import type { Provider } from '@nestjs/common';
import { AdminAuthorization } from '../admin/admin-authorization.js';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { ElicitationDesk } from '../elicitation-desk.js';
import { TOKEN_CHECKS } from '../tokens.js';
import { ChainDirectory } from './chain-directory.js';
import { ForwardDesk } from './forward-desk.js';
import { FORWARD_SETTINGS, type TokenChecks, forwardSettings, tokenChecks } from './forward-settings.js';
import { LiveCalls } from './live-calls.js';

/** What calls are forwarded with; administrators' tokens are checked by the same rules. */
export const forwardProviders: Provider[] = [
  {
    provide: FORWARD_SETTINGS,
    inject: [CONFIG, ELICITATION_CONFIG],
    useFactory: (config: BehalfConfig, { client }: ElicitationServiceConfig) =>
      forwardSettings(config, client?.secret ?? ConfiguredSecret.of('')),
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
