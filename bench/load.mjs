// A closed loop: `concurrency` callers, each sends its next request when the last was answered.

const roundSeconds = Number(process.env.BENCH_ROUND_SECONDS ?? 2);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);

async function round(call, concurrency) {
  const latencies = [];
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
  return { perSecond: latencies.length / elapsed, p50: at(0.5), p99: at(0.99) };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Measures several contenders in turns, so that a noisy moment hits all of them, and takes the median of the rounds.
 * @param {Record<string, () => Promise<void>>} contenders
 */
export async function compare(contenders, concurrency) {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (const call of Object.values(contenders)) for (let i = 0; i < 50; i += 1) await call();
  for (let i = 0; i < rounds; i += 1) {
    for (const [name, call] of Object.entries(contenders)) results[name].push(await round(call, concurrency));
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, list]) => [
      name,
      Object.fromEntries(
        ['perSecond', 'p50', 'p99'].map((key) => [key, median(list.map((one) => one[key]))]),
      ),
    ]),
  );
}

/** One table; the first row is what the others are held against. */
export function print(title, results) {
  const [floor] = Object.values(results);
  console.log(`\n${title}`);
  console.log(
    `  ${'contender'.padEnd(46)}${'req/s'.padStart(8)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'ratio'.padStart(8)}`,
  );
  for (const [name, { perSecond, p50, p99 }] of Object.entries(results)) {
    const cells = [perSecond.toFixed(0).padStart(8), p50.toFixed(2).padStart(9), p99.toFixed(2).padStart(9)];
    console.log(
      `  ${name.padEnd(46)}${cells.join('')}${(perSecond / floor.perSecond).toFixed(2).padStart(8)}`,
    );
  }
}
