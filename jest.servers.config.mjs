import base from './jest.config.mjs';

/** They run in the first shape only. */
const broughtAlong = [
  // Stands on NATS in the first shape, too: two replicas of the service, and what they decide by.
  'replicas',
  // Is about two services in one process that share a log object: apart, there is nothing that it could be about.
  'records-ahead',
];

/**
 * The suites of single apps once more: two instances of the app behind a balancer, on NATS, Redis and PostgreSQL. One
 * instance, where a suite looks into it or changes what it stands on: those say `replicas: 1` where they start it.
 */
export default {
  ...base,
  testMatch: [
    `**/{authorization-server,policy,elicitation,gateway}/test/!(${broughtAlong.join('|')}).e2e-spec.ts`,
  ],
  globalSetup: '<rootDir>/scripts/start-test-database.mjs',
  globalTeardown: '<rootDir>/scripts/stop-test-database.mjs',
};
