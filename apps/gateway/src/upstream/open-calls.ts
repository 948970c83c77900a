import type { Caller, RequestId } from '@behalf/mcp';

/**
 * The calls that are running, by who made them. A client of the legacy era cancels by naming the id of its request;
 * without sessions two windows of one client may use one id, and then nothing is cancelled rather than the wrong call.
 */
export class OpenCalls {
  readonly #calls = new Map<string, Set<AbortController>>();

  open(
    caller: Caller,
    id: RequestId,
    signal: AbortSignal,
  ): { readonly signal: AbortSignal; close: () => void } {
    const key = keyOf(caller, id);
    const controller = new AbortController();
    const calls = this.#calls.get(key) ?? new Set();
    this.#calls.set(key, calls.add(controller));
    return {
      signal: AbortSignal.any([signal, controller.signal]),
      close: () => {
        calls.delete(controller);
        if (calls.size === 0 && this.#calls.get(key) === calls) this.#calls.delete(key);
      },
    };
  }

  cancel(caller: Caller, id: unknown): void {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    const [only, ...others] = this.#calls.get(keyOf(caller, id)) ?? [];
    if (others.length === 0) only?.abort();
  }
}

function keyOf({ sub, client_id }: Caller, id: RequestId): string {
  return JSON.stringify([sub, client_id, id]);
}
