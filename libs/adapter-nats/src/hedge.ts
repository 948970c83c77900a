/**
 * Waits for what has begun, and begins a second try when it takes longer than `afterMs`. The first success of the two
 * is the answer. What the second try fails with counts for nothing: the first may still come.
 */
export function hedge<T>(first: Promise<T>, second: () => Promise<T>, afterMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => void second().then(resolve, () => {}), afterMs);
    void first.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
