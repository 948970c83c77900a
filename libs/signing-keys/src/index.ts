/**
 * The authorization server's signing keys: made once, kept sealed in the record store, rotated with overlap, and the
 * `Signer` that uses them. What is signed is decided in `@behalf/token-exchange` and by the OAuth pipeline.
 */
export { JwtSigner, type JwtSignerOptions } from './jwt-signer.js';
export { PurposeSigner } from './purpose-signer.js';
export { type PrivateJwk, SigningKeys, type SigningKeysOptions } from './signing-keys.js';
export {
  type PublicJwk,
  type SigningAlgorithm,
  type SigningKey,
  signingAlgorithms,
  signingKeyKind,
} from './signing-key-record.js';
