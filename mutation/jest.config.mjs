import { fileURLToPath } from 'node:url';
import base from '../jest.config.mjs';

export default {
  ...base,
  rootDir: '..',
  roots: ['<rootDir>/mutation'],
  watchman: false,
  testMatch: ['<rootDir>/mutation/suite.mjs'],
  testEnvironment: fileURLToPath(new URL('stop-at-failure.cjs', import.meta.url)),
};
