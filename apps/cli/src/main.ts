import { ZodError } from 'zod';
import { UsageError } from './parse-command.js';
import { runCommand } from './run-command.js';

try {
  const { output, failed } = await runCommand(process.argv.slice(2), process.env);
  console.log(output);
  process.exitCode = failed ? 1 : 0;
} catch (error) {
  // 2 is a fault of the command, 1 a finding: a pipeline can tell them apart.
  console.error(error instanceof ZodError ? `malformed: ${error.message}` : messageOf(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed';
}
