/** One call about one item, as its caller saw it. Times are of one clock that never goes back. */
export interface Call {
  verb: 'put' | 'take' | 'claim';
  invokedAt: number;
  /** Undefined while nobody knows the answer. */
  returnedAt?: number;
  /** `unknown`: refused or timed out, so it may have happened, or may yet happen. */
  outcome: 'done' | 'not' | 'unknown';
}

/** When something was done to Redis that may make it forget. */
export type Fault = Pick<Call, 'invokedAt' | 'returnedAt'>;

/**
 * What no order of the calls on one item can explain, where each takes effect at one moment between its invocation and
 * its answer, and Redis may forget at a fault: then nothing is given out any more, and nothing can be claimed.
 *
 * For a value that is taken, and a marker that is claimed, these three are all there is to linearizability.
 */
export function findAnomalies(calls: readonly Call[], faults: readonly Fault[]): string[] {
  return (['take', 'claim'] as const).flatMap((verb) => {
    const uses = calls.filter((call) => call.verb === verb);
    const done = uses.filter(({ outcome }) => outcome === 'done');
    const denied = uses.filter(({ outcome }) => outcome === 'not');
    const put = calls.find((call) => call.verb === 'put');
    const anomalies: string[] = [];
    if (done.length > 1) anomalies.push(`${verb}: done ${done.length} times`);
    for (const use of done)
      if (denied.some((before) => endOf(before) < use.invokedAt))
        anomalies.push(`${verb}: done after somebody was told that it cannot be`);
    for (const call of denied) {
      const isExplained = [
        ...uses.filter((use) => use !== call && use.outcome !== 'not'),
        ...faults.filter((fault) => put === undefined || endOf(fault) >= put.invokedAt),
      ].some(({ invokedAt }) => invokedAt <= endOf(call));
      if (!isExplained) anomalies.push(`${verb}: denied while nothing had used it`);
    }
    return anomalies;
  });
}

function endOf({ returnedAt = Infinity }: Pick<Call, 'returnedAt'>): number {
  return returnedAt;
}
