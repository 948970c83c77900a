import root from '../jest.config.mjs';

/** `npm run conformance`: the suites of the specification against the running system. */
export default {
  ...root,
  rootDir: '..',
  roots: ['<rootDir>/conformance'],
  testMatch: ['**/*.conformance.ts'],
  testPathIgnorePatterns: ['<rootDir>/conformance/vault/'],
  testTimeout: 180_000,
};
