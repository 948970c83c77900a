import type { AuditLog } from '@behalf/audit';
import type { DecisionGrant } from '@behalf/decision-grant';
import type { Cache, Clock, LeaseStore, RateLimiter, RecordStore } from '@behalf/ports';
import type { KeyRing } from '@behalf/sealing';
import type { Provider, ThirdParties } from '@behalf/third-party';

/** What the vault stands on. */
export interface VaultDependencies {
  readonly records: RecordStore;
  readonly keys: KeyRing;
  readonly leases: LeaseStore;
  /** The newest version that anybody has seen of each credential, kept apart from the records. A miss is legal. */
  readonly seenVersions: Cache<string>;
  readonly rateLimiter: Pick<RateLimiter, 'tryAttempt'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly thirdParties: Pick<ThirdParties, 'refresh' | 'revoke'>;
  /** Every configured provider. */
  readonly providers: readonly Provider[];
  /** Uses the grant up. @throws DecisionGrantRefused */
  readonly verifyGrant: (token: string) => Promise<DecisionGrant>;
  /** Openings in a minute for one person that are still usual. */
  readonly opensPerMinute: number;
  readonly wait: (ms: number) => Promise<void>;
  /** From 0 up to 1: spreads out those who wait for the same thing. */
  readonly random: () => number;
  /** What nobody waits for went wrong. Told without secrets. */
  readonly onFault: (what: string, error: unknown) => void;
}
