import type { Clock, OneTimeStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { CLOCK, KEY_ENCRYPTION_KEY, ONE_TIME_STORE } from '@behalf/service-kit';
import type { Provider } from '@nestjs/common';
import type { PolicyServiceConfig } from '../../config.js';
import { POLICY_CONFIG } from '../../tokens.js';
import { ApproverSessions } from './approver-session.js';
import { PersonSignIn } from './person-sign-in.js';

export const approvalPageProviders: Provider[] = [
  {
    provide: PersonSignIn,
    inject: [POLICY_CONFIG, ONE_TIME_STORE],
    useFactory: (
      { issuer, reachIssuer, publicUrl, approvalPage }: PolicyServiceConfig,
      oneTime: OneTimeStore,
    ) => approvalPage && new PersonSignIn({ issuer, reachIssuer, publicUrl }, approvalPage, oneTime),
  },
  {
    provide: ApproverSessions,
    inject: [POLICY_CONFIG, KEY_ENCRYPTION_KEY, CLOCK],
    useFactory: ({ publicUrl }: PolicyServiceConfig, key: KeyEncryptionKey, clock: Clock) =>
      new ApproverSessions(publicUrl, key, clock),
  },
];
