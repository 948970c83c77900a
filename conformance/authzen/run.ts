// The certification scenario of AuthZEN 1.0: `npm run conformance:authzen [-- --url <base> [--token <t>] [--ca <pem>]]`.
// Without --url it starts the policy service of this repository. The decision point has to hold the scenario's fixture.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { levelsReached, runScenario } from './run-scenario.ts';
import { startPdp } from './start-pdp.ts';

const { values } = parseArgs({
  options: { url: { type: 'string' }, token: { type: 'string' }, ca: { type: 'string' } },
});
const started = values.url === undefined ? await startPdp() : undefined;
try {
  const results = await runScenario({
    url: (values.url ?? started?.url ?? '').replace(/\/$/, ''),
    token: values.token,
    ca: values.ca === undefined ? started?.ca : readFileSync(values.ca, 'utf8'),
  });
  const width = Math.max(...results.map(({ title }) => title.length));
  for (const { id, level, title, problem } of results) {
    console.log(
      `${level.padEnd(18)} ${id.padEnd(8)} ${title.padEnd(width)}  ${problem === undefined ? 'pass' : `FAIL: ${problem}`}`,
    );
  }
  const levels = levelsReached(results);
  console.log('');
  for (const [level, reached] of levels)
    console.log(`${level.padEnd(18)} ${reached ? 'reached' : 'NOT reached'}`);
  const failed = results.filter(({ problem }) => problem !== undefined).length;
  console.log(`\n${results.length - failed} of ${results.length} passed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await started?.close();
}
