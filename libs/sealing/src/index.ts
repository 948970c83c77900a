/**
 * Secrets at rest: envelope encryption under a key-encryption key, bound to the place they belong to. Where the local
 * key comes from (a file or the environment) is in `@behalf/adapter-local-key`.
 */
export { type KeyEncryptionKey } from './key-encryption-key.js';
export { KeyRing } from './key-ring.js';
export { LocalKeyEncryptionKey } from './local-key-encryption-key.js';
export { SealingError, type SealingProblem } from './sealing-error.js';
export { type SealingContext, open, rewrap, seal } from './seal.js';
export { openUnderKey, sealUnderKey } from './seal-under-key.js';
export { openUnderSecret, sealUnderSecret } from './seal-under-secret.js';
