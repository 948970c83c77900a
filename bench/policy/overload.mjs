// More callers than the policy service has room for: what is answered has to come as soon as before, and nothing that is
// shed may be taken for an allow.
import { Agent, request } from 'undici';
import { startBehalf } from './behalf.mjs';
import { calls, toBehalfEvaluation, workload } from './workload.mjs';

const secondsEach = Number(process.env.BENCH_ROUND_SECONDS ?? 2);
const room = 32;
const policies = 1000;

/** A closed loop of callers that wait as long as they are told when they are shed, more or less. */
async function load(url, bodies, concurrency, mustDeny) {
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
  const taken = { answered: [], shed: [] };
  let [wrong, next] = [0, 0];
  const began = performance.now();
  // All connect at once; what that takes is not what is asked here.
  const counted = began + (secondsEach * 1000) / 3;
  const end = counted + secondsEach * 1000;
  const caller = async () => {
    while (performance.now() < end) {
      const index = next++ % bodies.length;
      const sent = performance.now();
      const { statusCode, headers, body } = await request(`${url}/access/v1/evaluation`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodies[index],
        dispatcher,
      });
      const text = await body.text();
      if (statusCode === 200) {
        if (sent > counted) taken.answered.push(performance.now() - sent);
        if (JSON.parse(text).decision && mustDeny[index]) wrong += 1;
        continue;
      }
      if (statusCode !== 503 || headers['retry-after'] === undefined || text.includes('"decision"'))
        wrong += 1;
      if (sent > counted) taken.shed.push(performance.now() - sent);
      const waitMs = Number(headers['retry-after']) * 1000 * (0.5 + Math.random());
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, Math.min(waitMs, end - performance.now()))),
      );
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const seconds = (performance.now() - counted) / 1000;
  await dispatcher.close();
  return { seconds, wrong, ...taken };
}

export async function benchOverload() {
  const work = workload(policies);
  const behalf = await startBehalf(work, [], { maxInFlight: room });
  try {
    const asked = calls(work.servers, 1000);
    const bodies = asked.map((call) => JSON.stringify(toBehalfEvaluation(call)));
    const mustDeny = [];
    for (const body of bodies) {
      const answer = await request(`${behalf.url}/access/v1/evaluation`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      mustDeny.push(!(await answer.body.json()).decision);
    }
    console.log(`\nOverload: room for ${room} decisions at once, ${policies} policies, ms`);
    const heads = ['answered/s', 'p50', 'p99', 'shed/s', 'p99 shed', 'wrong'];
    console.log(`  ${'callers'.padEnd(10)}${heads.map((head) => head.padStart(12)).join('')}`);
    for (const concurrency of [room / 2, room, room * 4, room * 16]) {
      const { seconds, answered, shed, wrong } = await load(behalf.url, bodies, concurrency, mustDeny);
      const at = (values, share) =>
        values.length === 0
          ? '-'
          : values.sort((a, b) => a - b)[Math.floor(values.length * share)].toFixed(1);
      const perSecond = (values) => (values.length / seconds).toFixed(0);
      const cells = [
        perSecond(answered),
        at(answered, 0.5),
        at(answered, 0.99),
        perSecond(shed),
        at(shed, 0.99),
        wrong,
      ];
      console.log(
        `  ${String(concurrency).padEnd(10)}${cells.map((cell) => String(cell).padStart(12)).join('')}`,
      );
      if (wrong > 0) throw new Error('an answer under overload was wrong');
    }
  } finally {
    await behalf.stop();
  }
}
