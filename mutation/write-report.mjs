import { writeFileSync } from 'node:fs';

/** Writes what a whole run has shown to docs/mutation.md. */
export function writeReport(results, coverage) {
  const files = Map.groupBy(results, ({ file }) => file);
  const found = results.filter(({ isFound }) => isFound).length;
  const share = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
  const survivors = results.filter(({ isFound }) => !isFound);
  const explained = survivors.filter(({ why }) => why !== undefined).length;
  writeFileSync(
    'docs/mutation.md',
    [
      '# Mutation tests',
      '',
      '`npm run mutate` breaks `libs/oauth` and `libs/token-exchange` in every place that [Stryker](https://stryker-mutator.io) knows, one',
      'at a time: a comparison turned round, a condition that always holds, a call left out. A mutant that no test notices is a rule that',
      'nobody holds the code to, or code that says nothing. The run fails when one lives that is not explained below, and when there is',
      'a branch that no test takes.',
      '',
      'It is a suite of its own, apart from `npm test`, and takes a minute or two of one core. Stryker has its own lock file in',
      '[mutation/](../mutation) and is installed when it runs first. Only the specs of the library itself are asked, so that a rule is',
      'tested beside its code. `--lib oauth` or `--file libs/oauth/src/scope-set.ts` narrows a run, `--concurrency 4` uses more cores.',
      'Explanations stand in `mutation/survivors.json`; `npm run mutate -- --write` writes this page.',
      '',
      `Branches that these specs take: ${coverage
        .map(({ library, covered, total }) => `${covered} of ${total} in \`libs/${library}\``)
        .join(', ')}.`,
      `${results.length} mutants, ${found} found (${share(found, results.length)}), ${explained} explained.`,
      '',
      '| file | mutants | found |',
      '| --- | ---: | ---: |',
      ...[...files].map(
        ([file, mutants]) =>
          `| ${file} | ${mutants.length} | ${mutants.filter(({ isFound }) => isFound).length} |`,
      ),
      '',
      '## Those that live, and why they may',
      '',
      '| file | code | what Stryker makes of it | why no test can, or need, tell |',
      '| --- | --- | --- | --- |',
      ...survivors.map(
        ({ file, source, replacement, why = '**unexplained**' }) =>
          `| ${file} | ${code(source)} | ${code(replacement)} | ${why} |`,
      ),
      '',
    ].join('\n'),
  );
}

/** In a table a bar would end the cell. */
function code(text) {
  return text === '' ? 'left out' : `\`${text.replaceAll('|', '\\|')}\``;
}
