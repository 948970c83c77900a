/** Data keys wrapped by the Transit engine of OpenBao or HashiCorp Vault: the key-encryption key never leaves it. */
export { TransitKeyEncryptionKey, type TransitOptions } from './transit-key-encryption-key.js';
