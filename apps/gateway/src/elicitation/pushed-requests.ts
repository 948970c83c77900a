import { type Caller, type McpResponse, isJsonObject } from '@behalf/mcp';
import { randomUUID } from 'node:crypto';

const maxWaiting = 1_000;

export type ElicitAction = 'accept' | 'decline' | 'cancel';

interface Waiting {
  caller: Caller;
  answered: (action: ElicitAction) => void;
}

/**
 * Requests that the gateway itself sent to clients of the session era, and that wait for an answer. It comes with a POST
 * of its own; only the person and client that were asked can give it.
 */
export class PushedRequests {
  readonly #waiting = new Map<string, Waiting>();

  /** @returns undefined when too many wait: then the client is told in another way */
  begin(caller: Caller): { id: string; answer: Promise<ElicitAction>; end: () => void } | undefined {
    if (this.#waiting.size >= maxWaiting) return undefined;
    const id = `behalf-${randomUUID()}`;
    const { promise, resolve } = Promise.withResolvers<ElicitAction>();
    this.#waiting.set(id, { caller, answered: resolve });
    return { id, answer: promise, end: () => void this.#waiting.delete(id) };
  }

  /** True when the response was for one of ours. What is no consent is none. */
  settle({ sub, client_id }: Caller, { id, body }: McpResponse): boolean {
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined;
    if (!waiting || waiting.caller.sub !== sub || waiting.caller.client_id !== client_id) return false;
    const result: unknown = 'result' in body ? body.result : undefined;
    const action: unknown = isJsonObject(result) ? result['action'] : undefined;
    waiting.answered(action === 'accept' || action === 'decline' ? action : 'cancel');
    return true;
  }
}
