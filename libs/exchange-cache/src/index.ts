/**
 * Answers equal token exchanges with one token: results sealed under a key that only the presented token gives, in this
 * process and in a store that processes share, and verified signatures by their digest. What an exchange is, and whether
 * a kept token is still good, is `@behalf/token-exchange`'s; where the shared store is, an adapter's.
 */
export { ExchangeCache, type ExchangeCacheOptions } from './exchange-cache.js';
export { LentTokenCache } from './lent-token-cache.js';
export { VerifiedTokens } from './verified-tokens.js';
