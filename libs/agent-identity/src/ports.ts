import type { RecordStore, RecordTransaction } from '@behalf/ports';

/** What ends an agent's tokens. `issuedUntilMs`: only those issued up to then; without it, all. */
export interface AgentRevocation {
  id: string;
  revokedAtMs: number;
  issuedUntilMs?: number;
}

export interface AgentDependencies {
  records: RecordStore;
  /** `<issuer>/agents`: what the ids made here begin with. */
  agentsUrl: string;
  /** True for the id of a client that was configured, which no agent may take. */
  isConfiguredClient: (id: string) => boolean;
  /** A fresh, unguessable id. */
  newId: () => string;
  /** Whether what vouches for a credential is configured, so that it can ever be believed. */
  trusts: (what: 'certificates' | 'attester' | 'trustDomain' | 'workloadIssuer', name: string) => boolean;
  /**
   * Fetches the key set at a URL that an administrator named, by a guarded fetch. Rejects when it cannot be had, or
   * must not be asked for.
   */
  resolveKeySet: (url: string) => Promise<unknown>;
  /** Writes a revocation of the agent as a client, with its event, in the transaction that is given. */
  revoke: (transaction: RecordTransaction, revocation: AgentRevocation) => Promise<void>;
}

/** Who does it, and when. */
export interface Act {
  by: string;
  nowMs: number;
}

/** What is changed, and what the caller saw of it: another version there is a refusal. Without one, any will do. */
export interface Target {
  id: string;
  expectedVersion?: number | undefined;
}
