/**
 * Runs a program until SIGINT or SIGTERM, then drains it and exits with 0. A second signal, or a drain longer than
 * the deadline, ends it at once with 1. A failed start prints what failed and why, without a stack, and exits with 1.
 */
export async function runUntilSignal(
  start: () => Promise<{ close(): Promise<void> }>,
  drainDeadlineMs = 10_000,
): Promise<void> {
  let running: { close(): Promise<void> };
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    running = await start();
  } catch (error) {
    console.error(messageOf(error));
    process.exit(1);
  }
  await stopped;
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  setTimeout(() => process.exit(1), drainDeadlineMs).unref();
  await running.close();
  process.exit(0);
}

function messageOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return error.cause instanceof Error ? `${error.message}: ${String(messageOf(error.cause))}` : error.message;
}
