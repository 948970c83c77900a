import { type Program, findProgram } from '@behalf/local-servers';

/** `describe` where these programs are installed. Elsewhere the suite is skipped, and in CI that is an error. */
export function describeWith(...programs: Program[]): typeof describe.skip {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return describe;
  const problem = `${missing.join(', ')} is not installed: see scripts/install-servers.mjs`;
  if (process.env['CI']) throw new Error(problem);
  console.warn(problem);
  return describe.skip;
}
