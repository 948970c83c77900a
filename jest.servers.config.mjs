import base from './jest.config.mjs';

/**
 * The suites of single apps once more: two instances of the app behind a balancer, on NATS, Redis and PostgreSQL. One
 * instance, where a suite looks into it or changes what it stands on: those say `replicas: 1` where they start it.
 */
export default {
  ...base,
  testMatch: ['**/authorization-server/test/*.e2e-spec.ts'],
  globalSetup: '<rootDir>/scripts/start-test-database.mjs',
  globalTeardown: '<rootDir>/scripts/stop-test-database.mjs',
};
