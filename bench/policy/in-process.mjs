// One decision and whole lists, in this process: the compiled evaluator beside cedar-wasm on the same policies.
import { CedarWasmEngine, CompiledCedarEngine } from '../../dist/libs/adapter-cedar/src/index.js';
import { calls, listOf, schema, toCedar, toCedarRequest, workload } from './workload.mjs';

const sizes = (process.env.BENCH_POLICIES ?? '10,100,1000,10000').split(',').map(Number);
const secondsEach = Number(process.env.BENCH_ROUND_SECONDS ?? 2);

/** Microseconds: median and p99 of single runs, over rounds of the same inputs until the time is up. */
function measure(run, inputs) {
  const end = performance.now() + secondsEach * 1000;
  const taken = [];
  for (let i = 0; i < 3 || performance.now() < end; i += 1) {
    for (const input of inputs) {
      const began = process.hrtime.bigint();
      run(input);
      taken.push(Number(process.hrtime.bigint() - began) / 1000);
      if (performance.now() > end && taken.length > 20) break;
    }
  }
  // The first third is warm-up.
  const steady = taken.slice(Math.floor(taken.length / 3)).sort((a, b) => a - b);
  const at = (share) => steady[Math.min(steady.length - 1, Math.floor(steady.length * share))];
  return { p50: at(0.5), p99: at(0.99) };
}

const megabytes = () => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1024 / 1024;
};

function list(engine, requests) {
  if (!(engine instanceof CompiledCedarEngine)) return requests.map((request) => engine.decide(request));
  const { principal, context, entities } = requests[0];
  const items = engine.list({ principal, context, entities: [entities[0]] });
  return requests.map(({ action, resource, entities: own }) =>
    items.decide({ action, resource, entities: [own[1]] }),
  );
}

export function benchInProcess() {
  console.log('\nIn process, microseconds (p50 / p99)');
  console.log(
    `  ${'engine'.padEnd(14)}${'policies'.padStart(9)}${'one decision'.padStart(20)}${'list of 50'.padStart(22)}${'list of 500'.padStart(24)}${'load ms'.padStart(9)}${'+MiB'.padStart(7)}`,
  );
  for (const count of sizes) {
    const { rules, servers } = workload(count);
    const bundle = {
      version: 'v1',
      schema,
      policies: [{ file: 'bench.cedar', text: rules.map(toCedar).join('\n') }],
    };
    const requests = calls(servers, 1000).map(toCedarRequest);
    const lists = [50, 500].map((size) => listOf(servers, size).map(toCedarRequest));
    const answers = [];
    for (const [name, engine] of [
      ['Behalf', new CompiledCedarEngine()],
      ['cedar-wasm', new CedarWasmEngine()],
    ]) {
      const before = megabytes();
      const began = performance.now();
      const problems = engine.load(bundle).filter(({ severity }) => severity === 'error');
      if (problems.length > 0) throw new Error(JSON.stringify(problems[0]));
      const loadMs = performance.now() - began;
      const grown = megabytes() - before;
      answers.push(JSON.stringify(requests.slice(0, 200).map((request) => engine.decide(request))));
      const cells = [
        measure((request) => engine.decide(request), requests),
        ...lists.map((one) => measure((many) => list(engine, many), [one])),
      ].map(({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`);
      console.log(
        `  ${name.padEnd(14)}${String(count).padStart(9)}${cells[0].padStart(20)}${cells[1].padStart(22)}${cells[2].padStart(24)}${loadMs.toFixed(0).padStart(9)}${grown.toFixed(0).padStart(7)}`,
      );
    }
    if (answers[0] !== answers[1]) throw new Error(`the engines disagree at ${count} policies`);
  }
}
