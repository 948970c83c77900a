import base from './jest.config.mjs';

// The services are processes of their own, two of each; what tests share with them is a folder and the network.
process.env.BEHALF_TEST_SHAPE = 'fleet';

const inOneProcessOnly = [
  'each-alone',
  'entered-key',
  'issuer-clocks',
  'missed-events',
  'readiness',
  'tracing',
];

/** The suites of the whole system, except those that look into the one process it is otherwise. */
export default {
  ...base,
  testMatch: [`**/standalone/test/!(${inOneProcessOnly.join('|')}).e2e-spec.ts`],
  maxWorkers: 1,
};
