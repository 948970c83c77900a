// AuthZEN over HTTP: the policy service beside Cerbos, in turns, with the same calls from the same client.
import { Agent, request } from 'undici';
import { compare, print } from '../load.mjs';
import { startBehalf } from './behalf.mjs';
import { startCerbos } from './cerbos.mjs';
import { calls, listOf, toBehalfEvaluation, toCerbosEvaluation, workload } from './workload.mjs';

const policies = Number(process.env.BENCH_HTTP_POLICIES ?? 1000);
const dispatcher = new Agent({ connections: 64, pipelining: 1 });
const ours = 'Behalf (recorded before answered)';
const headers = { 'content-type': 'application/json' };

function asker({ url }, path, bodies) {
  let next = 0;
  const ask = async () => {
    ask.asked += 1;
    const body = bodies[next++ % bodies.length];
    const answer = await request(url + path, { method: 'POST', headers, body, dispatcher });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text);
  };
  ask.asked = 0;
  return ask;
}

/** Compares, and adds what CPU each server used for a request: a figure that a busy machine moves little. */
async function compareWithCost(title, contenders, servers, concurrency) {
  const before = Object.entries(servers).map(([name, server]) => [
    name,
    server.cpuMs(),
    contenders[name].asked,
  ]);
  print(title, await compare(contenders, concurrency));
  for (const [name, cpuMs, asked] of before) {
    const each = (servers[name].cpuMs() - cpuMs) / (contenders[name].asked - asked);
    console.log(`  ${name.padEnd(46)}${each.toFixed(3).padStart(8)} ms of CPU a request`);
  }
}

async function checkAgreement(asked, behalf, cerbos) {
  for (const call of asked) {
    const [mine, theirs] = await Promise.all([
      asker(behalf, '/access/v1/evaluation', [JSON.stringify(toBehalfEvaluation(call))])(),
      asker(cerbos, '/access/v1/evaluation', [JSON.stringify(toCerbosEvaluation(call))])(),
    ]);
    if (mine.decision !== theirs.decision) throw new Error(`different decisions on ${JSON.stringify(call)}`);
  }
}

export async function benchHttp() {
  const work = workload(policies);
  const behalf = await startBehalf(work);
  const cerbos = await startCerbos(work);
  try {
    const asked = calls(work.servers, 1000);
    await checkAgreement(asked.slice(0, 200), behalf, cerbos);
    const servers = { Cerbos: cerbos, [ours]: behalf };
    const contenders = (path, toOurs, toTheirs) => ({
      Cerbos: asker(cerbos, path, toTheirs),
      [ours]: asker(behalf, path, toOurs),
    });
    const single = contenders(
      '/access/v1/evaluation',
      asked.map((call) => JSON.stringify(toBehalfEvaluation(call))),
      asked.map((call) => JSON.stringify(toCerbosEvaluation(call))),
    );
    for (const concurrency of [1, 10, 50])
      await compareWithCost(
        `AuthZEN evaluation over HTTP, ${policies} policies, concurrency ${concurrency}`,
        single,
        servers,
        concurrency,
      );
    const many = listOf(work.servers, 50);
    const lists = contenders(
      '/access/v1/evaluations',
      [JSON.stringify({ evaluations: many.map(toBehalfEvaluation) })],
      [JSON.stringify({ evaluations: many.map(toCerbosEvaluation) })],
    );
    for (const concurrency of [1, 4])
      await compareWithCost(
        `AuthZEN evaluations of 50 tools, concurrency ${concurrency}`,
        lists,
        servers,
        concurrency,
      );
    console.log(
      `\nMemory after the load: Behalf ${behalf.memory().toFixed(0)} MiB, Cerbos ${cerbos.memory().toFixed(0)} MiB`,
    );
  } finally {
    await cerbos.stop();
    await behalf.stop();
  }
}
