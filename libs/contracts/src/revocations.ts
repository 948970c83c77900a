import { z } from 'zod';
import { defineEvent, defineRequest, personal } from './define.js';

/**
 * What can be revoked. `token` names a `jti` (of the token, or of one it came from), `grant` a `grant_id` or one of
 * `delegations`, `session` a `sid`, `client` a `client_id` (as the token's client or as any actor), `transaction` a
 * `txn`: one chain of exchanges with all that came of it, `person` a `sub`: all that was issued about them so far.
 */
export const revocationKinds = ['token', 'grant', 'session', 'client', 'transaction', 'person'] as const;
export type RevocationKind = (typeof revocationKinds)[number];

export const revocationSchema = z.object({
  kind: z.enum(revocationKinds).describe('What is revoked.'),
  id: z.string().min(1).describe('As it stands in the tokens that it touches.'),
  person: personal(z.string().min(1))
    .optional()
    .describe('Whose tokens these are, by `sub`, where that is known.'),
  revokedAtMs: z.number().int(),
  issuedUntilMs: z
    .number()
    .int()
    .optional()
    .describe(
      'Of a `client` that may act again, a `grant` that was narrowed, or a `person`: only tokens issued up to this moment are touched. Without it, all are, those included that were being issued when it was revoked.',
    ),
  expiresAtMs: z
    .number()
    .int()
    .describe('When the last token it can touch has expired, so that it may be forgotten.'),
});
export type Revocation = z.infer<typeof revocationSchema>;

export const revocationCreated = defineEvent('behalf.revocation.created', revocationSchema, {
  from: 'authorization-server',
  tells: 'Tokens are no longer good: whoever accepts or keeps one that this touches refuses or drops it.',
});

/**
 * The revocations that are still live, in the order they were made: all of them for an enforcement point that begins,
 * then from time to time what has come since, which also proves that nothing was missed.
 */
export const listRevocations = defineRequest(
  'behalf.authorization.revocations.list',
  z.object({ after: z.string().max(200).optional().describe('The cursor of the answer before.') }),
  z.object({
    revocations: z.array(revocationSchema),
    cursor: z.string().optional(),
    more: z.boolean().describe('There is another page after the cursor.'),
  }),
  { repeatable: (question) => question },
);

/** `POST {admin}/revocations` */
export const createRevocationRequestSchema = z.strictObject({
  kind: z.enum(['token', 'grant', 'session', 'transaction']),
  id: z.string().min(1).max(500).describe('`jti`, `grant_id` or one of `delegations`, `sid`, `txn`.'),
});
export type CreateRevocationRequest = z.output<typeof createRevocationRequestSchema>;
