import { z } from 'zod';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ParsedParameters } from './parse-exchange-parameters.js';

const maxBytes = 4 * 1024;
const text = z.string().min(1).max(500);

/** What a transaction is about. Nothing else goes into `tctx`: what a token says, we say. Arguments never do. */
const requestDetailsSchema = z.strictObject({
  server: text.optional(),
  tool: text.optional(),
  arguments_digest: z
    .string()
    .regex(/^sha-256:[\w-]{43}$/)
    .optional(),
  /** What the agent wants to achieve, in its own words. */
  intent: text.optional(),
});

/** Where a transaction came from. @see draft-ietf-oauth-transaction-tokens, "Requester Context" */
const requestContextSchema = z.strictObject({
  req_ip: z.union([z.ipv4(), z.ipv6()]).optional(),
  authn: text.optional(),
});

export interface TransactionContext {
  details: z.output<typeof requestDetailsSchema>;
  context: z.output<typeof requestContextSchema>;
}

/**
 * Reads `request_details` and `request_context`: JSON objects, small, with the members that are known here.
 *
 * @throws ExchangeRefusal
 * @see draft-ietf-oauth-transaction-tokens, "Txn-Token Request"
 */
export function parseTransactionContext({
  requestDetails,
  requestContext,
}: Pick<ParsedParameters, 'requestDetails' | 'requestContext'>): TransactionContext {
  return {
    details: read(requestDetails, requestDetailsSchema, 'request_details'),
    context: read(requestContext, requestContextSchema, 'request_context'),
  };
}

function read<T>(json: string | undefined, schema: z.ZodType<T>, parameter: string): T {
  try {
    if (json !== undefined && Buffer.byteLength(json) > maxBytes) throw new RangeError('too large');
    return schema.parse(json === undefined ? {} : JSON.parse(json));
  } catch {
    throw new ExchangeRefusal({ kind: 'parameter_malformed', parameter });
  }
}
