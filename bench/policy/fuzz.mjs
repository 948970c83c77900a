// node bench/policy/fuzz.mjs [cases] [seed]: the differential tests of the evaluator against cedar-wasm, whole and partial
// decisions, as long as one likes.
import { spawnSync } from 'node:child_process';

const [cases = '50000', seed] = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    'libs/adapter-cedar/test/differential',
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, BEHALF_FUZZ_CASES: cases, ...(seed !== undefined && { BEHALF_FUZZ_SEED: seed }) },
  },
);
process.exit(status ?? 1);
