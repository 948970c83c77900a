/**
 * Waits for a promise, but no longer than the time allowed and no longer than the caller wants to know. The work
 * itself goes on; only the waiting ends.
 */
export function waitWithin<T>(
  work: Promise<T>,
  limits: { timeoutMs: number; signal?: AbortSignal },
  onTimeout: () => Error,
): Promise<T> {
  const { timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => end(() => reject(signal?.reason as Error));
    const timer = setTimeout(() => end(() => reject(onTimeout())), timeoutMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => end(() => resolve(value)),
      (error: Error) => end(() => reject(error)),
    );
  });
}
