import type { AuditRecord } from '@behalf/audit';
import type { OneTimeStore, RecordStore, RecordTransaction } from '@behalf/ports';

/** What ends the tokens of a grant. `issuedUntilMs`: only those issued up to then; without it, all. */
export interface GrantRevocation {
  id: string;
  revokedAtMs: number;
  issuedUntilMs?: number;
}

/** A client that may act for people, in the words people are shown. */
export interface DelegateAgent {
  clientId: string;
  name: string;
  owner?: string | undefined;
  purpose?: string | undefined;
}

export interface DelegationDependencies {
  records: RecordStore;
  oneTime: Pick<OneTimeStore, 'claim'>;
  /** A fresh, unguessable id: it stands in tokens and in URLs. */
  newId: () => string;
  /** How long a grant lasts when nobody says otherwise. */
  grantLifetimeSeconds: number;
  /** The registered resource that an identifier names, whatever way it is spelt. */
  findResource: (identifier: string) => { resource: string; scopes: readonly string[] } | undefined;
  /** Undefined for a client that may not act for people, or not now. */
  findAgent: (clientId: string) => Promise<DelegateAgent | undefined>;
  /** Writes a revocation of the grant, with its event, in the transaction that is given. */
  revoke: (transaction: RecordTransaction, revocation: GrantRevocation) => Promise<void>;
  /** Called inside the transaction: what cannot be recorded does not happen. */
  audit: (record: AuditRecord) => Promise<void>;
}

/** Who does it, and when. A person does it for themselves; anybody else administers. */
export interface Act {
  by: { person: string } | { administrator: string };
  nowMs: number;
}
