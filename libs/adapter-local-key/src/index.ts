/** Where a local key-encryption key comes from: a file or the environment. What it is used for is in `@behalf/sealing`. */
export {
  loadOrCreateLocalKey,
  localKeyFrom,
  sealingKeyFile,
  sealingKeyVariable,
} from './load-or-create-local-key.js';
