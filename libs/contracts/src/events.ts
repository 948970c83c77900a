import { z } from 'zod';
import { defineEvent } from './define.js';

/** Neither event carries a token, a person's name or a request's contents: `jti` travels as a hash. */
export const tokenExchanged = defineEvent(
  'behalf.token.exchanged',
  z.object({
    clientId: z.string(),
    audience: z.string(),
    scope: z.string(),
    actors: z.array(z.string()),
    jtiHash: z.string(),
    txn: z.string(),
    decisionId: z.string(),
  }),
);

export const tokenRefused = defineEvent(
  'behalf.token.refused',
  z.object({ clientId: z.string(), error: z.string(), reason: z.string() }),
);

export const signingKeysRotated = defineEvent('behalf.signing-keys.rotated', z.object({ kid: z.string() }));

export const policyChanged = defineEvent('behalf.policy.changed', z.object({ version: z.string() }));
