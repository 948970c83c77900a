import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const directory = 'mutation/reports/coverage';

/** How many branches of a library its own specs take. */
export function measureBranches(library) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      'node_modules/jest/bin/jest.js',
      '--runInBand',
      '--coverage',
      `--coverageDirectory=${directory}`,
      '--coverageReporters=json-summary',
      `--collectCoverageFrom=libs/${library}/src/*.ts`,
      '--collectCoverageFrom=!**/*.fixture.ts',
      `libs/${library}/src`,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the tests of libs/${library} fail\n${stderr}`);
  const { covered, total } = JSON.parse(readFileSync(`${directory}/coverage-summary.json`, 'utf8')).total
    .branches;
  return { library, covered, total };
}
