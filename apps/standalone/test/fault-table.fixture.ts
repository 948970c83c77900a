/** For a refusal that comes as an answer with status 200, as those of MCP do. */
export const refusedInside = 1;

/** What callers saw while a part was broken, and what must never be more than none. */
export interface FaultOutcome {
  part: string;
  fault: string;
  /** Statuses of answers: 0 for a connection that broke, -1 for none in time, `refusedInside`. */
  seen: number[];
  /** Of those who ask the part itself. */
  asked?: number[];
  /** Attempts to use what can be used once. */
  uses?: number[];
  recoveredInMs: number;
}

/** The table that a suite ends with. */
export function printFaultTable(outcomes: readonly FaultOutcome[]): void {
  const rows = outcomes.map(({ part, fault, seen, asked, uses, recoveredInMs }) => [
    part,
    fault,
    countsOf(seen),
    asked ? countsOf(asked) : '',
    uses ? countsOf(uses) : '',
    `${(recoveredInMs / 1000).toFixed(1)} s`,
  ]);
  const head = ['part', 'fault', 'callers saw', 'its own callers saw', 'one code used', 'whole again after'];
  const widths = head.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (row: string[]): string => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ');
  process.stderr.write(`\n${[head, ...rows].map(line).join('\n')}\n`);
}

function countsOf(statuses: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  const names = new Map([
    [0, 'cut off'],
    [-1, 'HANGS'],
    [refusedInside, 'refused'],
  ]);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} x ${names.get(status) ?? status}`)
    .join(', ');
}

/** The status of an answer, 0 for a connection that broke, -1 for none within the time. */
export async function statusWithin(call: Promise<{ status: number }>, ms: number): Promise<number> {
  const { promise: late, resolve } = Promise.withResolvers<number>();
  const timer = setTimeout(resolve, ms, -1);
  const answered = call.then(({ status }) => status).catch(() => 0);
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}
