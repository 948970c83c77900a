/**
 * The one way to fetch what a stranger named (client metadata, key sets, logos): guarded and bounded.
 * What the documents mean is decided by whoever asked for them.
 */
export { asFetch } from './as-fetch.js';
export { classifyAddress } from './classify-address.js';
export { GuardedFetchError, type GuardedFetchReason } from './guarded-fetch-error.js';
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedResponse,
} from './guarded-fetch.js';
export { type ResolveHost } from './guarded-lookup.js';
export { createGuardedRequest, type GuardedReply, type GuardedRequest } from './guarded-request.js';
export {
  createGuardedRelay,
  type GuardedRelay,
  type RelayedAnswer,
  type RelayRequest,
} from './guarded-relay.js';
