/**
 * JWTs verified and signed in the calling thread. jose does both through Web Crypto, which hands each signature to
 * another thread and costs twice the signature; where many a second are needed, these take its place, with its checks
 * and its errors. What the claims mean is decided by the libraries that call.
 */
export { peekClaim } from './jwt-parts.js';
export { signJwt } from './sign-jwt.js';
export { type ExpectedClaims, type VerifiedJwt, verifyJwt } from './verify-jwt.js';
