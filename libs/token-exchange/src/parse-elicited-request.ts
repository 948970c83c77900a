import { type ElicitedRequest, elicitedRequestSchema } from '@behalf/contracts';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeParameters } from './ports.js';

/** What a client adds to an exchange that a person may have to be asked for. */
export interface ElicitedParameters {
  request?: ElicitedRequest;
  requestState?: string;
  waitSeconds: number;
}

export const elicitedParameterNames = [
  'request_method',
  'request_name',
  'request_digest',
  'request_state',
  'wait',
];
const longestWaitSeconds = 25;
const maxStateLength = 4_096;

/**
 * Reads which MCP request needs the token (`request_method`, `request_name`, `request_digest`), the state of an earlier
 * attempt (`request_state`), and how long the client is ready to wait (`wait`, in seconds).
 *
 * @throws ExchangeRefusal
 */
export function parseElicitedRequest(parameters: ExchangeParameters): ElicitedParameters {
  const {
    request_method: method,
    request_name: name,
    request_digest: digest,
    request_state: state,
    wait,
  } = parameters;
  const request =
    method === undefined && digest === undefined
      ? undefined
      : elicitedRequestSchema.safeParse({ method, name, digest });
  if (request && !request.success) throw malformed('request_digest');
  if (state !== undefined && (typeof state !== 'string' || state.length > maxStateLength))
    throw malformed('request_state');
  if (wait !== undefined && (typeof wait !== 'string' || !/^\d{1,4}$/.test(wait))) throw malformed('wait');
  return {
    ...(request && { request: request.data }),
    ...(state !== undefined && { requestState: state }),
    waitSeconds: Math.min(Number(wait ?? 0), longestWaitSeconds),
  };
}

function malformed(parameter: string): ExchangeRefusal {
  return new ExchangeRefusal({ kind: 'parameter_malformed', parameter });
}
