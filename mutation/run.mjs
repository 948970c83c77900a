// Breaks the vocabulary and the exchange in every place that Stryker knows, one at a time, and sees whether a test of theirs
// goes red. `npm run mutate -- [--lib oauth] [--file 'libs/oauth/src/scope-*.ts'] [--concurrency 2] [--incremental] [--write]`.
// Fails for every mutant that lives and is not explained in survivors.json. `--write` puts the figures of a whole run, and the
// explanations, into docs/mutation.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from './write-report.mjs';

const libraries = ['oauth', 'token-exchange'];

const { values } = parseArgs({
  options: {
    lib: { type: 'string' },
    file: { type: 'string', multiple: true },
    incremental: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (!existsSync('mutation/node_modules/.package-lock.json')) {
  console.log('Installing Stryker (first run only) ...');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: 'mutation',
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}
const { Stryker } = await import('@stryker-mutator/core');

const explanations = JSON.parse(readFileSync('mutation/survivors.json', 'utf8'));
const results = [];
for (const library of libraries) {
  if (values.lib !== undefined && values.lib !== library) continue;
  // What suite.mjs runs.
  process.env.BEHALF_MUTATE_LIBRARY = library;
  results.push(...(await new Stryker(optionsFor(library)).runMutationTest()).map(describe));
}

const surviving = results.filter(({ isFound }) => !isFound);
const unexplained = surviving.filter(({ why }) => why === undefined);
for (const { file, line, mutator, source, replacement } of unexplained) {
  console.log(`\nlives  ${file}:${line}  ${mutator}\n  ${source}\n  -> ${replacement}`);
}
const isWhole = values.lib === undefined && values.file === undefined;
const stale = isWhole ? explanations.filter((explanation) => !surviving.some(isOf(explanation))) : [];
for (const { file, source, replacement } of stale) {
  console.log(`\nexplained, but no longer there  ${file}\n  ${source}\n  -> ${replacement}`);
}
console.log(
  `\n${results.length} mutants, ${results.length - surviving.length} found, ` +
    `${surviving.length - unexplained.length} explained, ${unexplained.length} unexplained`,
);
if (values.write && isWhole) writeReport(results);
process.exit(unexplained.length + stale.length === 0 ? 0 : 1);

function optionsFor(library) {
  return {
    mutate: [
      ...(values.file ?? [`libs/${library}/src/**/*.ts`]),
      '!libs/**/*.spec.ts',
      '!libs/**/*.fixture.ts',
      '!libs/**/index.ts',
    ],
    plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/jest-runner'))],
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    jest: { configFile: 'mutation/jest.config.mjs', enableFindRelatedTests: false },
    coverageAnalysis: 'perTest',
    concurrency: Number(values.concurrency),
    // A busy machine is slow, and is no mutant that hangs: loops without an end are found by counting.
    timeoutMS: 60_000,
    // Each run leaves its modules behind.
    maxTestRunnerReuse: 200,
    incremental: true,
    force: !values.incremental,
    incrementalFile: `mutation/reports/${library}.json`,
    tempDirName: `mutation/.stryker-tmp/${library}`,
    ignorePatterns: ['**', '!package.json', '!jest.config.mjs', '!libs/**', '!docs/errors.md', '!mutation/*'],
    disableTypeChecks: false,
    checkers: [],
    reporters: ['progress-append-only', 'html'],
    htmlReporter: { fileName: `mutation/reports/${library}.html` },
  };
}

/** A mutant in the words of the report. Lines move, so it is known by the text of its line and by what came in its place. */
function describe({ fileName, location, mutatorName, replacement, status }) {
  const file = fileName.replaceAll('\\', '/').replace(/^.*?(?=libs\/)/, '');
  const mutant = {
    file,
    line: location.start.line,
    mutator: mutatorName,
    source: oneLine(readFileSync(file, 'utf8').split('\n')[location.start.line - 1]),
    replacement: oneLine(replacement ?? ''),
    isFound: status === 'Killed' || status === 'Timeout',
  };
  return { ...mutant, why: explanations.find((explanation) => isOf(explanation)(mutant))?.why };
}

function isOf({ file, source, mutator, replacement }) {
  return (mutant) =>
    mutant.file === file &&
    mutant.source === source &&
    mutant.mutator === mutator &&
    mutant.replacement === replacement;
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}
