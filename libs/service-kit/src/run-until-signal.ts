/** A connection that a client keeps has six seconds, and a request on it the time that a request may take. */
const longestDrainMs = 25_000;

/**
 * Runs a program until SIGINT or SIGTERM, then drains it and exits with 0. A second signal, or a drain longer than
 * the deadline, ends it at once with 1. A failed start prints what failed and why, without a stack, and exits with 1.
 */
export async function runUntilSignal(
  start: () => Promise<{ close(signal: NodeJS.Signals): Promise<void> }>,
  drainDeadlineMs = longestDrainMs,
): Promise<void> {
  let running: { close(signal: NodeJS.Signals): Promise<void> };
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    running = await start();
  } catch (error) {
    console.error(messageOf(error));
    process.exit(1);
  }
  const signal = await stopped;
  for (const second of ['SIGINT', 'SIGTERM']) process.once(second, () => process.exit(1));
  setTimeout(() => process.exit(1), drainDeadlineMs).unref();
  await running.close(signal);
  process.exit(0);
}

function messageOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return error.cause instanceof Error ? `${error.message}: ${String(messageOf(error.cause))}` : error.message;
}
