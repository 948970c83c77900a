import type { RequestHandler } from '@behalf/messaging';
import type { RequestContract, Subscription } from '@behalf/ports';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { respond } from './answer-message.js';

/** Replicas of a service share its requests. */
const queueGroup = 'behalf';

export interface RequestServerOptions {
  /** Requests of one subject that may run here at once; more are answered as `overloaded`. */
  maxInFlight: number;
  onError: (subject: string, error: unknown) => void;
}

/** Where answers go: nobody listens there but who asked. */
const inboxes = '_INBOX.';

/** How long whoever asks waits for the answer, in milliseconds. */
export const timeoutHeader = 'Behalf-Timeout';
/** Of whoever does not say. */
const longestMs = 60_000;

/** Where what nobody has answered yet is asked again, of every replica: the one that has it may hang. */
export function againSubject(subject: string): string {
  return `${subject}.again`;
}

/** Answers the requests of one subject. */
export function serveRequests<Q, A>(
  connection: NatsConnection,
  { subject, repeatable }: RequestContract<Q, A>,
  handler: RequestHandler<Q, A>,
  { maxInFlight, onError }: RequestServerOptions,
): Subscription {
  let running = 0;
  const answer = async (message: Msg): Promise<void> => {
    const maxBytes = connection.info?.max_payload ?? 0;
    if (running >= maxInFlight) return respond(message, { problem: 'overloaded' }, maxBytes);
    running++;
    try {
      const carrier = { traceparent: undefined, tracestate: undefined, ...carrierOf(message) };
      const text = message.string();
      respond(
        message,
        await handler.answer(text === '' ? undefined : text, carrier, timeoutOf(message)),
        maxBytes,
      );
    } finally {
      running--;
    }
  };
  const begin = (message: Msg): void => {
    // Whoever may ask us must not speak with our voice: we may say more than they, and NATS lets us answer anywhere.
    if (!message.reply?.startsWith(inboxes)) return onError(subject, new Error('no answer goes there'));
    answer(message).catch((failure: unknown) => onError(subject, failure));
  };
  const callback = (error: Error | null, message: Msg): void =>
    error ? onError(subject, error) : begin(message);
  const subscriptions = [
    connection.subscribe(subject, { queue: queueGroup, callback }),
    ...(repeatable ? [connection.subscribe(againSubject(subject), { callback })] : []),
  ];
  let drained: Promise<void> | undefined;
  return {
    drain: () =>
      (drained ??= (async () => {
        // The server may have sent requests that are not here yet; they come before the end of this.
        if (!connection.isClosed()) await Promise.all(subscriptions.map((one) => one.drain()));
        await handler.idle();
        // Answers are on their way before anybody closes the connection.
        if (!connection.isClosed()) await connection.flush();
      })()),
  };
}

function timeoutOf({ headers }: Msg): number {
  const said = headers?.get(timeoutHeader) ?? '';
  return /^\d{1,5}$/.test(said) ? Number(said) : longestMs;
}

function carrierOf({ headers }: Msg): Record<string, string> {
  return Object.fromEntries((headers?.keys() ?? []).map((key) => [key, headers?.get(key) ?? '']));
}
