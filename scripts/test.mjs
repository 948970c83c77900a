// `npm test`: every suite on one machine, and then the suites of the whole system once more, unchanged, against two
// processes of each service on NATS, Redis and PostgreSQL. With a path: the suites there, on one machine.
// `BEHALF_TEST_REPORTS` names a folder for a report of each, in jest's JSON form.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../libs/local-servers/src/find-program.ts';

const args = process.argv.slice(2);
const isWhole = args.every((arg) => arg.startsWith('-'));
const servers = ['nats-server', 'redis-server', 'postgres'];

function run(program, ...more) {
  const flags = ['--experimental-vm-modules', '--no-warnings'];
  const { status } = spawnSync(process.execPath, [...flags, program, ...more], { stdio: 'inherit' });
  return status === 0;
}

function jest(name, ...more) {
  const folder = process.env.BEHALF_TEST_REPORTS;
  const report = folder ? ['--json', '--outputFile', join(folder, `${name}.json`)] : [];
  return run('node_modules/jest/bin/jest.js', ...args, ...report, ...more);
}

const passed = [jest('tests')];
if (isWhole) {
  const missing = servers.filter((server) => findProgram(server) === undefined);
  if (missing.length === 0) {
    passed.push(run('scripts/build.mjs') && jest('fleet', '--config', 'jest.fleet.config.mjs'));
  } else {
    console.warn(
      `Not run, for want of ${missing.join(', ')}: the suites of the whole system against a fleet.`,
    );
    passed.push(process.env.CI === undefined);
  }
}
process.exitCode = passed.every(Boolean) ? 0 : 1;
