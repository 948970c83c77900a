/**
 * Which tokens a revocation touches, and the live revocations an enforcement point keeps in memory. Records are
 * written by the authorization server; this library only answers "is this token still good?".
 */
export { type RevocableClaims, revocationKeys } from './revocation-keys.js';
export { touches } from './touches.js';
export { RevocationView } from './revocation-view.js';
export { followRevocations } from './follow-revocations.js';
