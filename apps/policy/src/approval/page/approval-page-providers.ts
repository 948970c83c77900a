import type { Clock, OneTimeStore } from '@behalf/ports';
import { PersonSessions, PersonSignIn } from '@behalf/person-sign-in';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { CLOCK, KEY_ENCRYPTION_KEY, ONE_TIME_STORE } from '@behalf/service-kit';
import type { Provider } from '@nestjs/common';
import type { PolicyServiceConfig } from '../../config.js';
import { POLICY_CONFIG } from '../../tokens.js';

/** Long enough to read a request, too short for an unlocked screen, or a group that was left, to matter for long. */
const sessionSeconds = 300;

export const approvalPageProviders: Provider[] = [
  {
    provide: PersonSignIn,
    inject: [POLICY_CONFIG, ONE_TIME_STORE],
    useFactory: (
      { issuer, reachIssuer, publicUrl, approvalPage }: PolicyServiceConfig,
      oneTime: OneTimeStore,
    ) =>
      approvalPage &&
      new PersonSignIn(
        {
          issuer,
          reachIssuer,
          publicUrl,
          callbackPath: '/approvals/callback',
          clientId: approvalPage.clientId,
          clientSecret: () => approvalPage.clientSecret.newest(),
          name: 'approval',
        },
        oneTime,
      ),
  },
  {
    provide: PersonSessions,
    inject: [POLICY_CONFIG, KEY_ENCRYPTION_KEY, CLOCK],
    useFactory: ({ publicUrl }: PolicyServiceConfig, key: KeyEncryptionKey, clock: Clock) =>
      new PersonSessions({ publicUrl, name: 'approver', sessionSeconds }, key, clock),
  },
];
