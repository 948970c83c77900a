import { z } from 'zod';
import { defineEvent } from './define.js';

/**
 * Something about a connection to a third party changed: it was made, refreshed, or it ended. Whoever keeps one of its
 * tokens of an older `credentialVersion` drops it; with another status than `active` every version.
 */
export const connectionChanged = defineEvent(
  'behalf.connection.changed',
  z.object({
    id: z.string(),
    /** The person, by `sub`. */
    owner: z.string(),
    tenant: z.string(),
    providerId: z.string(),
    resource: z.string(),
    status: z.enum(['active', 'needs_consent', 'disconnected']),
    reason: z.string().optional(),
    credentialVersion: z.int(),
  }),
);

/** The vault saw what only a thief or a fault does. An operator should look at once. */
export const vaultAlarmed = defineEvent(
  'behalf.vault.alarmed',
  z.object({
    alarm: z.enum(['decoy_opened', 'rolled_back', 'not_authentic', 'decrypt_rate']),
    connectionId: z.string(),
    owner: z.string(),
    /** Who came with the decision grant; absent where nobody did. */
    clientId: z.string().optional(),
    decisionId: z.string().optional(),
  }),
);
