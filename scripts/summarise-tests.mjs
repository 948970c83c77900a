// Adds up the named reports of a folder (jest's JSON form) and prints the one line that CI reads. Fails when a test
// failed, a report is missing, or nothing ran.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...names] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of names) {
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) {
    // A suite that was ended before its report counts as one failed test.
    console.log(`no report of ${name}`);
    total.failed++;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  total.passed += report.numPassedTests;
  // A suite that could not even be loaded has no failed test; it counts as one.
  total.failed += report.numFailedTests + (report.numRuntimeErrorTestSuites ?? 0);
  total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
