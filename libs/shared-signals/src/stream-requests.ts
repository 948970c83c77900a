import { z } from 'zod';
import { streamStatuses } from './stream.js';
import { subjectSchema } from './subject-identifier.js';

const url = z.url({ protocol: /^https?$/ }).max(2_000);
const streamId = z.string().min(1).max(200);

/** What a receiver says of its stream; what is ours may come along when it is as we said it. @see SSF 1.0 §8.1.1 */
export const streamRequestSchema = z.object({
  stream_id: streamId.optional(),
  iss: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  delivery: z
    .object({
      method: z.string(),
      endpoint_url: url.optional(),
      authorization_header: z
        .string()
        .min(1)
        .max(4_000)
        .regex(/^[\x20-\x7e]+$/)
        .optional(),
    })
    .optional(),
  events_requested: z.array(z.string().max(500)).max(100).optional(),
  description: z.string().max(500).optional(),
});
export type StreamRequest = z.output<typeof streamRequestSchema>;

export const statusRequestSchema = z.object({
  stream_id: streamId,
  status: z.enum(streamStatuses),
  reason: z.string().max(500).optional(),
});

export const subjectRequestSchema = z.object({
  stream_id: streamId,
  subject: subjectSchema,
  verified: z.boolean().optional(),
});

export const verificationRequestSchema = z.object({
  stream_id: streamId,
  state: z.string().max(1_000).optional(),
});
