import { type ChildProcess, fork } from 'node:child_process';

const resolver = new URL('resolve-sources.mjs', import.meta.url).href;

/** Runs a TypeScript file of this repository as a process of its own, without a build, for tests that kill it. */
export function forkSource(file: string, environment: Record<string, string>): ChildProcess {
  return fork(file, {
    execArgv: ['--experimental-transform-types', '--no-warnings', '--import', resolver],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
