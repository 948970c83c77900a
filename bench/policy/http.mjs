// AuthZEN over HTTP: the policy service beside Cerbos, in turns, with the same calls from the same client.
import { compare, print, warmUp } from '../load.mjs';
import { startBehalf } from './behalf.mjs';
import { startCerbos } from './cerbos.mjs';
import { KeepAliveClient, prepareRequests } from './keep-alive-client.mjs';
import { calls, listOf, toBehalfEvaluation, toCerbosEvaluation, workload } from './workload.mjs';

const sizes = (process.env.BENCH_HTTP_POLICIES ?? '10,100,1000,10000').split(',').map(Number);
const ours = 'Behalf: recorded before it is answered';
const recording = 'Cerbos: written to a file after it';

/** What the callers themselves have cost so far. They share the machine with whom they call. */
const callers = { calls: 0, cpuMs: () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000 };

function asker({ url, cpuMs }, path, bodies) {
  const client = new KeepAliveClient(url);
  const requests = prepareRequests(url, path, bodies);
  let next = 0;
  const call = () => {
    callers.calls += 1;
    return client.send(requests[next++ % requests.length]);
  };
  return { call, cpuMs };
}

async function checkAgreement(asked, behalf, cerbos) {
  for (const call of asked) {
    const answers = await Promise.all([
      asker(behalf, '/access/v1/evaluation', [JSON.stringify(toBehalfEvaluation(call))]).call(),
      asker(cerbos, '/access/v1/evaluation', [JSON.stringify(toCerbosEvaluation(call))]).call(),
    ]);
    const [mine, theirs] = answers.map((answer) => JSON.parse(answer));
    if (mine.decision !== theirs.decision) throw new Error(`different decisions on ${JSON.stringify(call)}`);
  }
}

export async function benchHttp() {
  for (const policies of sizes) await benchAt(policies);
}

async function benchAt(policies) {
  const work = workload(policies);
  const behalf = await startBehalf(work);
  const cerbos = await startCerbos(work);
  const recordingCerbos = await startCerbos(work, { keepsDecisions: true });
  try {
    const asked = calls(work.servers, 1000);
    await checkAgreement(asked.slice(0, 200), behalf, cerbos);
    const contenders = (path, toOurs, toTheirs) => ({
      'Cerbos: no record of decisions': asker(cerbos, path, toTheirs),
      [recording]: asker(recordingCerbos, path, toTheirs),
      [ours]: asker(behalf, path, toOurs),
    });
    const single = contenders(
      '/access/v1/evaluation',
      asked.map((call) => JSON.stringify(toBehalfEvaluation(call))),
      asked.map((call) => JSON.stringify(toCerbosEvaluation(call))),
    );
    for (const concurrency of [1, 10, 50]) {
      const before = { calls: callers.calls, cpuMs: callers.cpuMs() };
      print(
        `AuthZEN evaluation over HTTP, ${policies} policies, concurrency ${concurrency}`,
        await compare(single, concurrency),
      );
      const each = (callers.cpuMs() - before.cpuMs) / (callers.calls - before.calls);
      console.log(`  the callers, which are the same for all: ${each.toFixed(3)} CPU ms a request`);
    }
    for (const [size, concurrency] of [
      [50, 1],
      [50, 4],
      [500, 1],
    ]) {
      const many = listOf(work.servers, size);
      const lists = contenders(
        '/access/v1/evaluations',
        [JSON.stringify({ evaluations: many.map(toBehalfEvaluation) })],
        [JSON.stringify({ evaluations: many.map(toCerbosEvaluation) })],
      );
      print(
        `AuthZEN evaluations of ${size} tools, ${policies} policies, concurrency ${concurrency}`,
        await compare(lists, concurrency, (2 * warmUp) / size),
      );
    }
    const { first, later } = behalf.memoryAtRest;
    console.log(
      `\nMemory after the load, ${policies} policies: Behalf ${behalf.memory().toFixed(0)} MiB, Cerbos ${cerbos.memory().toFixed(0)} MiB without records, ${recordingCerbos.memory().toFixed(0)} with` +
        `\nBehalf at rest: ${later.toFixed(0)} MiB, ${first.toFixed(0)} after the start that made its database`,
    );
  } finally {
    await cerbos.stop();
    await recordingCerbos.stop();
    await behalf.stop();
  }
}
