import { z } from 'zod';
import { headerName } from './text.js';

/** What a provider signs, and how its events read: data, so that another provider needs no code. */
export const webhookShapeSchema = z.strictObject({
  signature: z.strictObject({
    header: headerName,
    algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    prefix: z.string().default('').describe('What stands before the signature in its header.'),
    signedPrefix: z
      .string()
      .default('')
      .describe('What is signed before the body; `{timestamp}` stands for the value of `timestampHeader`.'),
    timestampHeader: headerName.optional().describe('Seconds since the epoch; 300 old at most.'),
  }),
  deliveryHeader: headerName.optional().describe('Names one delivery: it counts once.'),
  revoked: z
    .strictObject({
      headers: z.record(headerName, z.string()).default({}),
      body: z.record(z.string(), z.string()).default({}),
    })
    .refine(({ headers, body }) => Object.keys({ ...headers, ...body }).length > 0, {
      message: 'needs something to tell the event by',
    })
    .describe('Which events say that a grant is over: values of headers, and of members of the JSON body.'),
  account: z.string().min(1).describe('The member that holds the id of the account, as `sender.id`.'),
  challenge: z
    .string()
    .min(1)
    .optional()
    .describe('The member that is sent back when the provider asks whether somebody is there.'),
});

export const webhookSchema = webhookShapeSchema
  .partial()
  .extend({
    secretEnv: z.string().optional().describe('Environment variable that holds what events are signed with.'),
    demoSecret: z.string().optional().describe('A secret written down. Refused when NODE_ENV=production.'),
  })
  .describe(
    'How the provider tells that a grant is over, at `paths.providerEvents`; the rest from the preset.',
  );
