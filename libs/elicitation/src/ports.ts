import type { AuditLog } from '@behalf/audit';
import type { ScopeHierarchy } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';

/** What an elicitation knows of a provider. How it is spoken to is in `@behalf/third-party`. */
export interface ElicitedProvider {
  id: string;
  /** What people call it. */
  name: string;
  /** Every scope that may be asked for, each in words. */
  scopes: Readonly<Record<string, string>>;
  /** What each scope gives as well. */
  impliedScopes?: ScopeHierarchy | undefined;
}

/** The tokens that were stored for people. */
export interface ConnectionTokens {
  /**
   * The provider's access token of a person, good for at least these scopes.
   *
   * @throws OAuthError `temporarily_unavailable` when the provider or the vault cannot be asked now
   */
  use(wanted: {
    person: string;
    provider: string;
    resource: string;
    scopes: readonly string[];
    client: string;
    actors: readonly string[];
    /** The decision of the policy, for one opening. */
    decisionGrant: string | undefined;
  }): Promise<TokenUse>;
}

export type TokenUse =
  | {
      kind: 'token';
      accessToken: string;
      tokenType: string;
      expiresAtMs: number | undefined;
      scopes: readonly string[];
    }
  /** There is none, it is dead, or it lacks a scope: only the person can help. */
  | { kind: 'needs_person' };

export interface ElicitationDependencies {
  records: RecordStore;
  clock: Clock;
  keyEncryptionKey: KeyEncryptionKey;
  audit: Pick<AuditLog, 'append'>;
  tokens: ConnectionTokens;
  findProvider: (resource: string) => ElicitedProvider | undefined;
  /** Resolves when an elicitation changes, or after the time. */
  waitForChange: (id: string, timeoutMs: number) => Promise<void>;
  newId: () => string;
  elicitationSeconds: number;
  /** `<publicUrl><connect path>` */
  connectUrl: string;
  /** `<publicUrl><elicitations path>` */
  pollUrl: string;
}
