/**
 * Waits for a promise, but no longer than the time allowed and no longer than the caller wants to know. The work
 * itself goes on; only the waiting ends.
 */
export async function waitWithin<T>(
  work: Promise<T>,
  limits: { timeoutMs: number; signal?: AbortSignal },
  onTimeout: () => Error,
): Promise<T> {
  const { timeoutMs, signal } = limits;
  const { promise: cutShort, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(onTimeout()), timeoutMs);
  const onAbort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, cutShort]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
