// A closed loop: `concurrency` callers, each sends its next request when the last was answered.

const roundSeconds = Number(process.env.BENCH_ROUND_SECONDS ?? 2);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
/** Requests before anything is counted: until then the compiler of the engine is what is measured. */
export const warmUp = Number(process.env.BENCH_WARM_UP ?? 1000);
const warmUpCallers = 8;
/** More than a round uses up. */
const maxPrepared = 1500 * roundSeconds;

async function round({ call, cpuMs, prepare }, concurrency) {
  prepare?.(maxPrepared);
  const latencies = [];
  const cpuBefore = cpuMs?.();
  const began = performance.now();
  const end = began + roundSeconds * 1000;
  const caller = async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      await call();
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const elapsed = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  const cpu = cpuMs && (cpuMs() - cpuBefore) / latencies.length;
  return { perSecond: latencies.length / elapsed, p50: at(0.5), p99: at(0.99), cpu };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Measures several contenders in turns, so that a noisy moment hits all of them, and takes the median of the rounds. Each
 * round is held against the first contender's in the same turn: `ratio` and `byCpu` are the medians of that. Every other
 * turn goes backwards, so that what changes in the course of a turn favours nobody.
 * `cpuMs` tells what CPU the server of a contender has used so far: what a request costs there is a figure that a busy
 * machine moves little. `prepare` gets ready what so many calls will need, outside of what is measured.
 * @param {Record<string, {
 *   call: () => Promise<unknown>, cpuMs?: () => number, prepare?: (calls: number) => void
 * }>} contenders
 * @param warmUpCalls fewer where each call is many, none after `settle`
 */
export async function compare(contenders, concurrency, warmUpCalls = warmUp) {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (const { call } of Object.values(contenders)) {
    // Several at a time even for one caller: what is to be warm is the server.
    const caller = async () => {
      for (let i = 0; i < warmUpCalls / warmUpCallers; i += 1) await call();
    };
    await Promise.all(Array.from({ length: warmUpCallers }, caller));
  }
  for (let i = 0; i < rounds; i += 1) {
    const turn = Object.entries(contenders);
    for (const [name, contender] of i % 2 === 0 ? turn : turn.toReversed())
      results[name].push(await round(contender, concurrency));
  }
  const [floor] = Object.values(results);
  for (const list of Object.values(results)) {
    list.forEach((one, i) => {
      one.ratio = one.perSecond / floor[i].perSecond;
      one.byCpu = floor[i].cpu / one.cpu;
    });
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, list]) => [
      name,
      Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((one) => one[key]))])),
    ]),
  );
}

/** One table; the first row is what the others are held against, by requests a second and by CPU a request. */
export function print(title, results) {
  console.log(`\n${title}`);
  const heads = ['req/s', 'p50 ms', 'p99 ms', 'CPU ms', 'ratio', 'by CPU'];
  console.log(`  ${'contender'.padEnd(52)}${heads.map((head) => head.padStart(9)).join('')}`);
  for (const [name, { perSecond, p50, p99, cpu, ratio, byCpu }] of Object.entries(results)) {
    const cells = [
      perSecond.toFixed(0),
      p50.toFixed(2),
      p99.toFixed(2),
      cpu?.toFixed(3) ?? '',
      ratio.toFixed(2),
      Number.isFinite(byCpu) ? byCpu.toFixed(2) : '',
    ];
    console.log(`  ${name.padEnd(52)}${cells.map((cell) => cell.padStart(9)).join('')}`);
  }
}
