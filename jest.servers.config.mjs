import base from './jest.config.mjs';

/** They bring what they stand on, or play a part of it themselves: they run in the first shape only. */
const broughtAlong = [
  // Bring a bus of NATS, or a log and records in a database.
  'replicas',
  'receipts',
  'records-ahead',
  // Carries events from records in memory to the bus, one by one.
  'policy-life',
  // Stand on a vault in memory, whose state the tests reach into.
  'forward',
  'provider-events',
  // Is an app with half of its ports.
  'elicitation',
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
