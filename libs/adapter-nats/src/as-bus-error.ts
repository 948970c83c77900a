import { BusError, type BusErrorReason } from '@behalf/ports';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';

/** What NATS said of a subject, as the port has it. */
export function asBusError(error: unknown, subject: string): BusError {
  return error instanceof BusError
    ? error
    : new BusError(reasonOf(error), subject, undefined, { cause: error });
}

/** Whoever was not reached did nothing; of whoever did not answer that cannot be said. */
function reasonOf(error: unknown): BusErrorReason {
  if (error instanceof TimeoutError || (error as Error | undefined)?.cause instanceof TimeoutError)
    return 'timeout';
  if (error instanceof NoRespondersError) return 'no_responders';
  if (error instanceof RequestError && !error.isNoResponders()) return 'timeout';
  return 'no_responders';
}
