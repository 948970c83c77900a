// node bench/policy/run.mjs [in-process|whole-core|http|overload]: everything is measured in one run, so the ratios hold where figures do not.
import { pathToFileURL } from 'node:url';
import { benchHttp } from './http.mjs';
import { benchInProcess } from './in-process.mjs';
import { benchOverload } from './overload.mjs';
import { benchWholeCore } from './whole-core.mjs';

const suites = {
  'in-process': benchInProcess,
  'whole-core': benchWholeCore,
  http: benchHttp,
  overload: benchOverload,
};

export async function benchPolicy(wanted = []) {
  for (const [name, bench] of Object.entries(suites))
    if (wanted.length === 0 || wanted.includes(name)) await bench();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await benchPolicy(process.argv.slice(2));
  process.exit(0);
}
