import { z } from 'zod';
import { baseUrl, listenSchema } from './listen.js';

/** The policy decision point. */
export const policySchema = z.strictObject({
  listen: listenSchema(4002),
  publicUrl: baseUrl
    .default('http://localhost:4002')
    .describe("Also the resource identifier of its callers' tokens."),
  policies: z
    .string()
    .describe('Folder with *.cedar, schema.cedarschema and, if any, entities.json; watched for changes.'),
  allowUnauthenticatedLoopback: z
    .boolean()
    .default(false)
    .describe('Answers callers on this machine without a token. Refused when NODE_ENV=production.'),
});
export type PolicyConfig = z.output<typeof policySchema>;
