/**
 * The authorization server's protocol pipeline: oidc-provider with our storage, client rules, resources and grants.
 * It knows no web framework; pages and the sign-in are `apps/authorization-server`'s, what an exchange does is
 * `@behalf/token-exchange`'s.
 */
export { accountClientId } from './account-client.js';
export { explainAs, type ExplainedRequest, markAsExplaining } from './explain-requests.js';
export { chainDescriber } from './describe-chain.js';
export { createProvider } from './create-provider.js';
export type { FetchDocument, ProviderDependencies } from './dependencies.js';
export { maxAssertionSeconds } from './check-assertion.js';
export { servePlainExchange } from './plain-exchange.js';
export type { ExchangePorts } from './register-token-exchange.js';
export { ResourceRegistry } from './resource-registry.js';
export { type Decision, extendGrant } from './extend-grant.js';
export { isLoopbackRedirect } from './redirect-uris.js';
export {
  type Consent,
  consentRecords,
  findConsent,
  forgetConsent,
  listConsents,
  redirectHost,
  rememberConsent,
} from './consent.js';
export {
  type Person,
  personRecords,
  findUpstreamPerson,
  resolveUpstreamPerson,
  savePerson,
} from './person.js';
export { noteIssuerClock } from './issuer-clocks.js';
export { revokeGrant } from './revoke-grant.js';
export { registeredClientName } from './registered-client-name.js';
export { readOwnAccessToken } from './read-own-access-token.js';
export {
  listRevocationsAfter,
  revocationLifetimeSeconds,
  revocationRecords,
  writeRevocation,
} from './revocation-records.js';
export { transact } from './transact.js';
export { endSession, endSessions, listSessions, type PersonSession } from './sessions.js';
