// Breaks the vocabulary and the exchange in every place that Stryker knows, one at a time, and sees whether a test of theirs
// goes red. `npm run mutate -- [--lib oauth] [--file 'libs/oauth/src/scope-*.ts'] [--concurrency 2] [--write]`.
// Fails for every mutant that lives and is not explained in survivors.json, and for a branch that no test takes. `--write`
// puts the figures of a whole run, and the explanations, into docs/mutation.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureBranches } from './measure-coverage.mjs';
import { writeReport } from './write-report.mjs';

const libraries = ['oauth', 'token-exchange'];

const { values } = parseArgs({
  options: {
    lib: { type: 'string' },
    file: { type: 'string', multiple: true },
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
const coverage = [];
for (const library of libraries) {
  if (values.lib !== undefined && values.lib !== library) continue;
  coverage.push(measureBranches(library));
  // Read by the runner in its process.
  process.env.BEHALF_MUTATE_LIBRARY = library;
  results.push(...(await new Stryker(optionsFor(library)).runMutationTest()).map(mutantOf));
}

const surviving = results.filter(({ isFound }) => !isFound);
const unexplained = surviving.filter(({ why }) => why === undefined);
for (const { file, line, column, mutator, source, replacement } of unexplained) {
  console.log(
    `\nlives  ${file}:${line}  ${mutator} in column ${column} of\n  ${source}\n  -> ${replacement}`,
  );
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
for (const { library, covered, total } of coverage)
  console.log(`libs/${library}: ${covered} of ${total} branches`);
if (values.write && isWhole) writeReport(results, coverage);
const isCovered = coverage.every(({ covered, total }) => covered === total);
process.exit(isCovered && unexplained.length + stale.length === 0 ? 0 : 1);

function optionsFor(library) {
  return {
    mutate: [
      ...(values.file ?? [`libs/${library}/src/**/*.ts`]),
      '!libs/**/*.spec.ts',
      '!libs/**/*.fixture.ts',
      '!libs/**/index.ts',
    ],
    plugins: [fileURLToPath(new URL('circus-runner.mjs', import.meta.url))],
    testRunner: 'circus',
    coverageAnalysis: 'perTest',
    concurrency: Number(values.concurrency),
    // A busy machine is slow, and is no mutant that hangs: loops without an end are found by counting.
    timeoutMS: 60_000,
    tempDirName: `mutation/.stryker-tmp/${library}`,
    ignorePatterns: ['**', '!package.json', '!jest.config.mjs', '!libs/**', '!docs/errors.md'],
    disableTypeChecks: false,
    checkers: [],
    reporters: ['progress-append-only', 'html'],
    htmlReporter: { fileName: `mutation/reports/${library}.html` },
  };
}

/** A mutant in the words of the report. Lines move, so it is known by the text of its line and by what came in its place. */
function mutantOf({ fileName, location: { start }, mutatorName, replacement, status }) {
  const file = fileName.replaceAll('\\', '/').replace(/^.*?(?=libs\/)/, '');
  const text = readFileSync(file, 'utf8').split('\n')[start.line - 1];
  const mutant = {
    file,
    line: start.line,
    column: start.column - text.search(/\S/),
    mutator: mutatorName,
    source: text.trim(),
    replacement: oneLine(replacement ?? ''),
    isFound: status === 'Killed' || status === 'Timeout',
  };
  return { ...mutant, why: explanations.find((explanation) => isOf(explanation)(mutant))?.why };
}

function isOf(explanation) {
  return (mutant) =>
    ['file', 'source', 'column', 'mutator', 'replacement'].every(
      (name) => mutant[name] === explanation[name],
    );
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}
