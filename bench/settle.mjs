// The engine compiles what runs often only after thousands of requests. Until it has, that is what would be measured.

const windowCalls = Number(process.env.BENCH_WINDOW ?? 2000);
const maxWindows = Number(process.env.BENCH_MAX_WINDOWS ?? 15);
const callers = 16;
/** A window that is cheaper than all before it by more than this says that there is more to come. */
const leastGain = 0.03;
/** So many windows in succession have to bring nothing more. */
const quietWindows = 3;

/**
 * Warms up all contenders alike: each gets as many requests as every other, window by window and in turns, until what a
 * request costs has stopped falling for all of them, or the bound is reached.
 *
 * @param contenders as for `compare`
 * @returns how many requests each got, and what a request cost in each window
 */
export async function settle(contenders) {
  const costs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  let windows = 0;
  while (windows < maxWindows && !Object.values(costs).every(isSettled)) {
    windows += 1;
    for (const [name, contender] of Object.entries(contenders))
      costs[name].push(await costOfWindow(contender));
  }
  return { calls: windows * windowCalls, isBounded: windows === maxWindows, costs };
}

async function costOfWindow({ call, cpuMs = () => performance.now(), prepare }) {
  prepare?.(windowCalls);
  const before = cpuMs();
  let left = windowCalls;
  const caller = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (cpuMs() - before) / windowCalls;
}

function isSettled(costs) {
  const before = costs.slice(0, -quietWindows);
  if (before.length < quietWindows) return false;
  return Math.min(...costs.slice(-quietWindows)) > (1 - leastGain) * Math.min(...before);
}
