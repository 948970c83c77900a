import root from '../../jest.config.mjs';

/** `npm run test:vault`: the vault under a stampede, with leaders that are killed. */
export default {
  ...root,
  rootDir: '../..',
  roots: ['<rootDir>/conformance/vault'],
  testMatch: ['**/*.conformance.ts'],
  testTimeout: 120_000,
};
