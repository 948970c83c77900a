import { z } from 'zod';

/** RFC 7638: SHA-256, in base64url. */
export const keyThumbprint = z
  .string()
  .regex(/^[\w-]{43}$/, 'must be the SHA-256 thumbprint of a key (RFC 7638)');

/** Who goes on with tokens of this resource that are bound to a client certificate. */
export const handOverSchema = z
  .strictObject({
    clientId: z.string().describe('One of `servedBy`.'),
    jkt: keyThumbprint.describe('Thumbprint of its DPoP key (RFC 7638), which it proves at every exchange.'),
  })
  .optional()
  .describe(
    'Who may exchange tokens for this resource that are bound to a client certificate, and with which key. Nobody without it.',
  );
