// From the text of a request to the answer with its reasons, in this process: what a decision costs besides HTTP and records.
import { randomUUID } from 'node:crypto';
import { CedarWasmParser } from '../../dist/libs/adapter-cedar-parser/src/index.js';
import { CompiledCedarEngine } from '../../dist/libs/adapter-cedar/src/index.js';
import { parseEvaluation } from '../../dist/libs/contracts/src/index.js';
import { parseIJson } from '../../dist/libs/i-json/src/index.js';
import {
  ConditionalEngine,
  RequestLists,
  decideWithConditions,
  evaluateBatch,
} from '../../dist/libs/policy/src/index.js';
import { calls, listOf, schema, toBehalfEvaluation, toCedar, workload } from './workload.mjs';

const policies = 1000;
const size = 50;
const secondsEach = Number(process.env.BENCH_ROUND_SECONDS ?? 2);
const limits = { maxBytes: 10_000_000, maxDepth: 50 };

function startCore(rules) {
  const engine = new ConditionalEngine(
    new CompiledCedarEngine(),
    new CompiledCedarEngine(),
    new CedarWasmParser(),
  );
  const problems = engine.load({
    version: 'v1',
    schema,
    policies: [{ file: 'bench.cedar', text: rules.map(toCedar).join('\n') }],
  });
  if (engine.version === undefined) throw new Error(JSON.stringify(problems[0]));
  const onFault = ({ cause }) => {
    throw cause;
  };
  const now = () => ({ engine, nowMs: Date.now(), newId: randomUUID, onFault });
  return {
    one: (body) => decideWithConditions(parseEvaluation(parseIJson(body, limits)).data, now()),
    list: (body) => {
      const conditions = now();
      conditions.lists = new RequestLists(engine, conditions);
      const decide = (evaluation) => decideWithConditions(evaluation, conditions);
      return evaluateBatch(parseIJson(body, limits), decide, { maxEvaluations: size });
    },
  };
}

export async function benchWholeCore() {
  const { rules, servers } = workload(policies);
  const core = startCore(rules);
  const tools = listOf(servers, size).map(toBehalfEvaluation);
  const [{ subject, action, context }] = tools;
  const resources = tools.map(({ resource }) => ({ resource }));
  const toBodies = (values) => values.map((value) => Buffer.from(JSON.stringify(value)));
  const shapes = {
    'one decision': [core.one, toBodies(calls(servers, 1000).map(toBehalfEvaluation))],
    [`${size} tools, said once who asks`]: [
      core.list,
      toBodies([{ subject, action, context, evaluations: resources }]),
    ],
    [`${size} tools, each says who asks`]: [core.list, toBodies([{ evaluations: tools }])],
    [`${size} calls of other people`]: [
      core.list,
      toBodies([{ evaluations: calls(servers, size).map(toBehalfEvaluation) }]),
    ],
  };
  console.log(`\nThe whole core, ${policies} policies, microseconds (a tenth takes less / median)`);
  for (const [name, [run, bodies]] of Object.entries(shapes)) {
    const taken = [];
    for (const end = performance.now() + secondsEach * 1000; performance.now() < end;) {
      const began = performance.now();
      await run(bodies[taken.length % bodies.length]);
      taken.push((performance.now() - began) * 1000);
    }
    // The first third is warm-up.
    const steady = taken.slice(Math.floor(taken.length / 3)).sort((one, other) => one - other);
    const at = (share) => steady[Math.floor(steady.length * share)].toFixed(1);
    console.log(`  ${name.padEnd(32)}${at(0.1).padStart(9)} / ${at(0.5)}`);
  }
}
