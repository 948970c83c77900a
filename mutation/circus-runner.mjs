// Runs the specs of one library for Stryker, in its worker process. The tests are those of Jest: registered by jest-circus, held
// by expect, compiled by the options of jest.config.mjs. But modules are loaded once and not once for each mutant: Stryker
// turns on one mutant after another in them, and the whole takes minutes and not hours. They are loaded anew for a mutant in
// what runs at loading, and before one is said to live: what was computed once and kept would hide it.
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  determineHitLimitReached,
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileLikeJest, loadAnew } from './compile-like-jest.mjs';

/** Nothing here waits for anything: a test that is not over by then never ends. */
const testTimeoutMs = 10_000;
/** They go through thousands of cases: last, because most mutants are found before. */
const slow = ['provenance-matrix.spec.ts', 'attenuation.spec.ts'];

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, 'circus', () => new CircusRunner()),
];

class CircusRunner {
  /** As they are without a mutant. */
  #sound;
  /** What the mutated code writes and reads. */
  #context = (globalThis.__stryker__ ??= {});

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun({ coverageAnalysis }) {
    const tests = await this.#loadSound();
    const first = await this.#run(tests, { isCovering: coverageAnalysis === 'perTest' });
    const mutantCoverage = structuredClone(this.#context.mutantCoverage);
    // What one run leaves behind must not fail the next: then every mutant would seem to be found.
    const second = await this.#run(tests, {});
    const unsteady = second.filter(({ status }, index) => status !== first[index].status);
    if (unsteady.length > 0) {
      const names = unsteady.map(({ name, failureMessage }) => `${name}: ${failureMessage}`);
      return { status: DryRunStatus.Error, errorMessage: `fail when run again: ${names.join('\n')}` };
    }
    return { status: DryRunStatus.Complete, tests: first, mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation, disableBail }) {
    const sound = await this.#loadSound();
    this.#context.activeMutant = activeMutant.id;
    this.#context.hitLimit = hitLimit;
    this.#context.hitCount = hitLimit === undefined ? undefined : 0;
    try {
      const chosen = testFilter && new Set(testFilter);
      const result = async (tests) => {
        const asked = tests.filter(({ id }) => !chosen || chosen.has(id));
        const results = await this.#run(asked, { isStoppedByFailure: !disableBail });
        const timeout = determineHitLimitReached(this.#context.hitCount, hitLimit);
        return toMutantRunResult(timeout ?? { status: DryRunStatus.Complete, tests: results }, disableBail);
      };
      const first = mutantActivation === 'static' ? undefined : await result(sound);
      if (first && first.status !== MutantRunStatus.Survived) return first;
      return await result(await loadTests());
    } catch (error) {
      // The library does not even load.
      return {
        status: MutantRunStatus.Killed,
        killedBy: [sound[0].id],
        failureMessage: String(error),
        nrOfTests: 0,
      };
    } finally {
      this.#context.activeMutant = undefined;
      this.#context.hitLimit = undefined;
    }
  }

  async #loadSound() {
    return (this.#sound ??= await loadTests());
  }

  async #run(tests, { isCovering = false, isStoppedByFailure = false }) {
    const results = [];
    for (const { id, fn } of tests) {
      this.#context.currentTestId = isCovering ? id : undefined;
      const startedAt = performance.now();
      const failure = await failureOf(fn);
      results.push({
        id,
        name: id,
        timeSpentMs: performance.now() - startedAt,
        ...(failure === undefined
          ? { status: TestStatus.Success }
          : { status: TestStatus.Failed, failureMessage: failure }),
      });
      if (failure !== undefined && isStoppedByFailure) break;
    }
    this.#context.currentTestId = undefined;
    return results;
  }
}

async function loadTests() {
  // From the sandbox: its node_modules are those of the repository.
  const root = process.cwd();
  const require = createRequire(join(root, 'package.json'));
  const { describe, it, test, getState, resetState } = require('jest-circus');
  resetState();
  Object.assign(globalThis, { describe, it, test, expect: require('expect').expect });
  await compileLikeJest(root);
  loadAnew();
  const rank = (file) => slow.findIndex((name) => file.endsWith(name));
  const specs = globSync(`libs/${process.env.BEHALF_MUTATE_LIBRARY}/src/**/*.spec.ts`).sort();
  for (const spec of specs.sort((one, other) => rank(one) - rank(other))) {
    await import(pathToFileURL(join(root, spec)).href);
  }
  return testsOf(getState().rootDescribeBlock, []);
}

function testsOf({ children }, titles) {
  return children.flatMap((child) =>
    child.type === 'describeBlock'
      ? testsOf(child, [...titles, child.name])
      : [{ id: [...titles, child.name].join(' '), fn: child.fn }],
  );
}

/** What a test fails with; undefined when it passes. */
async function failureOf(fn) {
  let timer;
  const isOver = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the test does not end')), testTimeoutMs);
  });
  try {
    await Promise.race([fn(), isOver]);
    return undefined;
  } catch (error) {
    return String(error?.message ?? error);
  } finally {
    clearTimeout(timer);
  }
}

// A mutant may forget a promise: that is no end of the process.
process.on('unhandledRejection', () => {});
