// Conformance checks of any token service: `npm run conformance:sts -- --config sts.json [--report report.json]`.
// A configuration of `{"start": "behalf"}` starts the authorization server of this repository first.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readConfig } from './config.ts';
import { runChecks } from './run-checks.ts';
import { startBehalf } from './start-behalf.ts';

const { values } = parseArgs({ options: { config: { type: 'string' }, report: { type: 'string' } } });
if (values.config === undefined)
  throw new Error('--config names the configuration; see docs/conformance-sts.md');
const file = readConfig(values.config);
const started = 'start' in file ? await startBehalf() : undefined;
try {
  const results = await runChecks('start' in file ? started!.config : file);
  const width = (name: 'id' | 'spec'): number => Math.max(...results.map((result) => result[name].length));
  for (const { id, spec, title, outcome, problem } of results) {
    const end = problem === undefined ? title : `${title}: ${problem}`;
    console.log(`${outcome.padEnd(4)}  ${id.padEnd(width('id'))}  ${spec.padEnd(width('spec'))}  ${end}`);
  }
  const count = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
  console.log(`\n${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped`);
  if (values.report !== undefined) {
    const totals = {
      numPassedTests: count('pass'),
      numFailedTests: count('fail'),
      numPendingTests: count('skip'),
    };
    writeFileSync(values.report, JSON.stringify({ ...totals, results }));
  }
  process.exitCode = count('fail') === 0 && count('pass') > 0 ? 0 : 1;
} finally {
  await started?.close();
}
