import { randomBytes } from 'node:crypto';
import {
  type ResourceRegistry,
  revocationLifetimeSeconds,
  writeRevocation,
} from '@behalf/adapter-oidc-provider';
import type { AuditLog } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import { type DelegationDependencies, GrantUses } from '@behalf/delegation-grants';
import type { OneTimeStore, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import { AUDIT_LOG, KEY_ENCRYPTION_KEY, ONE_TIME_STORE, RECORD_STORE } from '@behalf/service-kit';
import { AccountForms } from '../account/account-forms.js';
import { PersonSessions } from '../account/person-sessions.js';
import { FormGuard } from '../http/form-guard.js';
import type { ProviderHolder } from '../provider-holder.js';
import { serverSecret } from '../server-secrets.js';
import {
  ACCOUNT_FORMS,
  CLIENT_DIRECTORY,
  DELEGATION,
  FORM_GUARD,
  GRANT_USES,
  PERSON_SESSIONS,
  PROVIDER_HOLDER,
  RESOURCE_REGISTRY,
} from '../tokens.js';
import { ClientDirectory } from './client-directory.js';

/** What delegation grants stand on. */
export function delegationProviders(config: BehalfConfig) {
  const server = config.authorizationServer;
  return [
    {
      provide: CLIENT_DIRECTORY,
      inject: [RECORD_STORE],
      useFactory: (records: RecordStore) => new ClientDirectory(config, records),
    },
    {
      provide: DELEGATION,
      inject: [RECORD_STORE, ONE_TIME_STORE, AUDIT_LOG, RESOURCE_REGISTRY, CLIENT_DIRECTORY],
      useFactory: (
        records: RecordStore,
        oneTime: OneTimeStore,
        audit: AuditLog,
        resources: ResourceRegistry,
        directory: ClientDirectory,
      ): DelegationDependencies => ({
        records,
        oneTime,
        newId: () => randomBytes(24).toString('base64url'),
        grantLifetimeSeconds: server.lifetimes.delegationGrantSeconds,
        findResource: (identifier) => resources.findForPeople(identifier),
        findAgent: (clientId) => directory.findAgent(clientId),
        revoke: (transaction, { id, revokedAtMs, issuedUntilMs }) =>
          writeRevocation(
            transaction,
            { kind: 'grant', id, ...(issuedUntilMs !== undefined && { issuedUntilMs }) },
            { nowMs: revokedAtMs, lifetimeSeconds: revocationLifetimeSeconds(config) },
          ),
        audit: (record) => audit.append(record),
      }),
    },
    {
      provide: GRANT_USES,
      inject: [RECORD_STORE],
      useFactory: (records: RecordStore) => new GrantUses(records),
    },
    {
      provide: FORM_GUARD,
      inject: [RECORD_STORE, KEY_ENCRYPTION_KEY],
      useFactory: async (records: RecordStore, kek: KeyEncryptionKey) =>
        new FormGuard(await serverSecret(records, kek, 'forms'), server.issuer),
    },
    {
      provide: PERSON_SESSIONS,
      inject: [PROVIDER_HOLDER, RECORD_STORE],
      useFactory: (holder: ProviderHolder, records: RecordStore) =>
        new PersonSessions(server, holder, records),
    },
    {
      provide: ACCOUNT_FORMS,
      inject: [PERSON_SESSIONS, FORM_GUARD],
      useFactory: (sessions: PersonSessions, guard: FormGuard) => new AccountForms(sessions, guard),
    },
  ];
}
