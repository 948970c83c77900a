import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const suite = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

export interface SuiteRun {
  code: number | null;
  output: string;
}

/**
 * Runs the conformance suite to its end. Its exit code says whether every required scenario passed.
 *
 * @param onOutput is told all that was printed so far, after every piece
 */
export function runSuite(args: string[], onOutput: (all: string) => void = () => {}): Promise<SuiteRun> {
  const child = spawn(process.execPath, [suite, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
      onOutput(output);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
