import { outsideDeadline } from '@behalf/ports';

/** Below what those who probe wait, which is two seconds. */
const timeoutMs = 1_000;
/** Anybody may ask whether we are ready, and as often as they like. */
const keptMs = 1_000;

/**
 * Says whether a server answers. However many ask, the server is asked by one at a time, and at most once a second; who
 * asks in between is told the same. A server that has not answered within a second is away.
 */
export function serverCheck(ping: () => Promise<void>): () => Promise<boolean> {
  let asking: Promise<void> | undefined;
  let known: { sinceMs: number; answer: Promise<boolean> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (known && nowMs < known.sinceMs + keptMs) return known.answer;
    // One that hangs is not asked a second time: it has a limit of its own.
    asking ??= outsideDeadline(ping).finally(() => (asking = undefined));
    known = { sinceMs: nowMs, answer: answersInTime(asking) };
    return known.answer;
  };
}

function answersInTime(asking: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    // After a process was busy for long, its timers come before the answers that have been here for long: those are
    // read before the immediates.
    const timer = setTimeout(() => setImmediate(() => resolve(false)), timeoutMs);
    asking
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => clearTimeout(timer));
  });
}
