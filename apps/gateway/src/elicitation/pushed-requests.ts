import { type Caller, type McpResponse, isJsonObject } from '@behalf/mcp';
import type { OneTimeStore } from '@behalf/ports';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

const maxWaiting = 1_000;
/** How long an answer may take: longer than the client of the call waits. */
const answerSeconds = 60;
/** How often it is looked whether the answer came to another gateway. */
const lookEveryMs = 500;

const ids = /^behalf-[0-9a-f-]{36}$/;
const actions = ['accept', 'decline', 'cancel'] as const;
export type ElicitAction = (typeof actions)[number];

interface Waiting {
  caller: Caller;
  answered: (action: ElicitAction) => void;
}

/** One request that was sent to the client of a call. */
export interface PushedRequest {
  id: string;
  answer: Promise<ElicitAction>;
  /** Nobody waits for the answer any more. */
  end: () => void;
}

/**
 * Requests that the gateway itself sent to clients of the session era, and that wait for an answer. It comes with a POST
 * of its own, to whichever gateway; only the person and client that were asked can give it, once.
 */
export class PushedRequests {
  readonly #waiting = new Map<string, Waiting>();

  /** @param oneTime shared by all gateways; without it, or while it is away, an answer counts at this one alone */
  constructor(private readonly oneTime: OneTimeStore) {}

  /** @returns undefined when too many wait: then the client is told in another way */
  async begin(caller: Caller): Promise<PushedRequest | undefined> {
    if (this.#waiting.size >= maxWaiting) return undefined;
    const id = `behalf-${randomUUID()}`;
    const key = keyOf(id, caller);
    const { promise, resolve } = Promise.withResolvers<ElicitAction>();
    this.#waiting.set(id, { caller, answered: resolve });
    // Before the client is told: its answer may be quick.
    await this.oneTime.put('pushed-request', key, 'waits', answerSeconds).catch(() => {});
    const ended = new AbortController();
    void this.#lookElsewhere(key, ended.signal, resolve);
    return {
      id,
      answer: promise,
      end: () => {
        ended.abort();
        this.#waiting.delete(id);
        void this.oneTime.take('pushed-request', key).catch(() => {});
      },
    };
  }

  /** True when the response was for one of ours, sent by this gateway or another. What is no consent is none. */
  async settle(caller: Caller, { id, body }: McpResponse): Promise<boolean> {
    if (typeof id !== 'string' || !ids.test(id)) return false;
    const result: unknown = 'result' in body ? body.result : undefined;
    const action = readAction(isJsonObject(result) ? result['action'] : undefined);
    const waiting = this.#waiting.get(id);
    if (waiting) {
      if (waiting.caller.sub !== caller.sub || waiting.caller.client_id !== caller.client_id) return false;
      waiting.answered(action);
      return true;
    }
    const key = keyOf(id, caller);
    // Used up by the first answer, and there for the caller that was asked alone.
    const isAwaited = await this.oneTime.take('pushed-request', key).catch(() => undefined);
    if (isAwaited === undefined) return false;
    await this.oneTime.put('pushed-answer', key, action, answerSeconds).catch(() => {});
    return true;
  }

  async #lookElsewhere(
    key: string,
    signal: AbortSignal,
    answered: (action: ElicitAction) => void,
  ): Promise<void> {
    while (!signal.aborted) {
      // Cut short by the end of the request, which the loop sees.
      await setTimeout(lookEveryMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const action = await this.oneTime.take('pushed-answer', key).catch(() => undefined);
      if (action !== undefined) return answered(readAction(action));
    }
  }
}

function readAction(action: unknown): ElicitAction {
  return actions.find((known) => known === action) ?? 'cancel';
}

/** Another person or client has another key for the same id, and finds nothing. */
function keyOf(id: string, { sub, client_id }: Caller): string {
  return createHash('sha256')
    .update(JSON.stringify([id, sub, client_id]))
    .digest('base64url');
}
