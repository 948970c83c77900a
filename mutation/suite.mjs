// Every spec of one library as one suite: what they import is loaded once for a mutant, and not once for each spec.
import { globSync } from 'node:fs';

/** They go through thousands of cases: last, because most mutants are found before. */
const slow = ['provenance-matrix.spec.ts', 'attenuation.spec.ts'];
const rank = (file) => slow.findIndex((name) => file.endsWith(name));

const specs = globSync(`libs/${process.env.BEHALF_MUTATE_LIBRARY}/src/**/*.spec.ts`).sort();
for (const spec of specs.sort((one, other) => rank(one) - rank(other))) await import(`../${spec}`);
