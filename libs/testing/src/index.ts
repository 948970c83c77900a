/** What tests share: one conformance suite per port, a fake clock, test keys and free ports. Never shipped. */
export {
  describeRateLimiter,
  type OpenRateLimiter,
  type RateLimiterSuiteOptions,
} from './describe-rate-limiter.js';
export { describeWith } from './describe-with.js';
export { forkSource } from './fork-source.js';
export { FakeClock } from './fake-clock.js';
export { freePort } from '@behalf/local-servers';
export { describeBus, type OpenBus } from './describe-bus.js';
export { type CacheSuiteOptions, describeCache, type OpenCache } from './describe-cache.js';
export {
  describeOneTimeStore,
  type OneTimeStoreSuiteOptions,
  type OpenOneTimeStore,
} from './describe-one-time-store.js';
export {
  describeLeaseStore,
  type LeaseStoreSuiteOptions,
  type OpenLeaseStore,
} from './describe-lease-store.js';
export { describeRecordStore, type OpenRecordStore, testNotes } from './describe-record-store.js';
export { describePolicyEngine } from './describe-policy-engine.js';
export { describeSigner, type OpenSigner } from './describe-signer.js';
export { testKeys, type TestKeys } from './test-keys.js';
export { testCertificate } from './test-certificate.js';
export {
  type OpenOptions,
  readForm,
  signInAndConsent,
  type SignInOptions,
  TestBrowser,
  type Visit,
} from './browser.js';
export { testClientCertificates } from './test-client-certificates.js';
export { Chromium } from './chromium.js';
export {
  type AnswerFate,
  type FakeProvider,
  type FakeProviderOptions,
  startFakeProvider,
} from './fake-provider.js';
export { describeKeyEncryptionKey, type OpenKeyEncryptionKey } from './describe-key-encryption-key.js';
export { RememberedAudit, appendedBy } from './remembered-audit.js';
export { SmallDisk, itOnSmallDisk } from './small-disk.js';
export { SecretFile } from './secret-file.js';
export { askForDecision } from './ask-for-decision.js';
export { readMetrics, type Sample, sumOf } from './read-metrics.js';
