/**
 * Credentials of third parties, sealed for as long as they live: storing, opening for one use, refreshing, ending.
 * Whether they may be used is decided elsewhere, and arrives as a decision grant (`@behalf/decision-grant`); how they
 * come about is in `@behalf/third-party` and `@behalf/elicitation`.
 */
export {
  type Connection,
  connectionId,
  connectionKind,
  type ConnectionReason,
  type ConnectionRecord,
  connectionReasons,
  type ConnectionStatus,
  connectionStatuses,
  type ConnectionUse,
  isEndedByChoice,
} from './connection.js';
export { defaultTenant } from '@behalf/decision-grant';
export { type Disconnected, type NewConnection, type OpenedCredential, type Vault } from './ports.js';
export { VaultError, type VaultErrorOptions, type VaultProblem } from './vault-error.js';
export { SealedClientRegistrations } from './sealed-client-registrations.js';
export {
  type ConnectionFilter,
  type NewDecoy,
  VaultOperator,
  type WatchedConnection,
} from './vault-operator.js';
export { SealedVault } from './sealed-vault.js';
export { type VaultDependencies } from './vault-dependencies.js';
export { retryRevocations } from './pending-revocations.js';
export { isRewrapped, rewrapBatch, type RewrapRun } from './rewrap-connections.js';
