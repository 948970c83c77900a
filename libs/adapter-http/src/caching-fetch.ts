import type { Clock } from '@behalf/ports';
import CachePolicy from 'http-cache-semantics';
import { LRUCache } from 'lru-cache';
import type { GuardedFetch, GuardedResponse } from './guarded-fetch.js';

export interface CachingFetchOptions {
  /** When it is full, the document used longest ago goes. */
  maxEntries: number;
  /** The longest a document is kept, whatever its headers say. */
  maxAgeSeconds: number;
  /** Throws when the document is not what it should be: it is not kept then, and the caller gets the error. */
  check?: (response: GuardedResponse, url: string) => void;
}

/**
 * Keeps documents for as long as their headers allow. Only what passed its check is kept, never an error: otherwise
 * whoever breaks a document once breaks it for as long as they like. Callers at the same time share one fetch.
 *
 * @see RFC 9111 §3, §4.2
 */
export function createCachingFetch(
  fetch: GuardedFetch,
  clock: Clock,
  options: CachingFetchOptions,
): GuardedFetch {
  const kept = new LRUCache<string, { response: GuardedResponse; expiresAtMs: number }>({
    max: options.maxEntries,
  });
  const running = new Map<string, Promise<GuardedResponse>>();

  const fetchAndKeep = async (url: string): Promise<GuardedResponse> => {
    const response = await fetch(url);
    options.check?.(response, url);
    const seconds = Math.min(freshSeconds(url, response), options.maxAgeSeconds);
    if (seconds > 0) kept.set(url, { response, expiresAtMs: clock.nowMs() + seconds * 1000 });
    return response;
  };

  return async (url, { signal } = {}) => {
    const found = kept.get(url);
    if (found && found.expiresAtMs > clock.nowMs()) return found.response;
    kept.delete(url);
    let fetching = running.get(url);
    if (!fetching) {
      fetching = fetchAndKeep(url).finally(() => running.delete(url));
      running.set(url, fetching);
    }
    // The fetch itself has its own deadline; one caller who gives up must not end it for the others.
    return signal ? untilAborted(fetching, signal) : fetching;
  };
}

function freshSeconds(url: string, { status, headers }: GuardedResponse): number {
  if (headers['vary']?.includes('*')) return 0;
  const policy = new CachePolicy({ url, method: 'GET', headers: {} }, { status, headers }, { shared: true });
  // timeToLive() would count stale-while-revalidate and stale-if-error as fresh.
  return policy.storable() ? policy.maxAge() - policy.age() : 0;
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
