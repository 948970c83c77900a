// Adds up the reports of a folder (jest's JSON form) and prints the one line that CI reads. Fails when nothing ran.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  total.passed += report.numPassedTests;
  // A suite that could not even be loaded has no failed test; it counts as one.
  total.failed += report.numFailedTests + (report.numRuntimeErrorTestSuites ?? 0);
  total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
