import { z } from 'zod';
import { defineEvent, personal } from './define.js';

export const connectionChanged = defineEvent(
  'behalf.connection.changed',
  z.object({
    id: z.string(),
    owner: personal(z.string()).describe('The person, by `sub`.'),
    tenant: z.string(),
    providerId: z.string(),
    resource: z.string().describe('The resource of the third party.'),
    status: z.enum(['active', 'needs_consent', 'disconnected']),
    reason: z.string().optional().describe('Why it does not work, in one word.'),
    credentialVersion: z.int().describe('Grows with every set of tokens.'),
  }),
  {
    from: 'elicitation',
    tells:
      'A connection to a third party was made, refreshed, or has ended. Whoever keeps one of its tokens of an older `credentialVersion` drops it; with another status than `active`, every version.',
  },
);

export const consentWithdrawn = defineEvent(
  'behalf.third-party-consent.withdrawn',
  z.object({ owner: personal(z.string()).describe('The person, by `sub`.'), providerId: z.string() }),
  {
    from: 'elicitation',
    tells:
      'A person lets somebody use their account at a third party no more. Whoever keeps one of its tokens drops it.',
  },
);

export const vaultAlarmed = defineEvent(
  'behalf.vault.alarmed',
  z.object({
    alarm: z.enum(['decoy_opened', 'rolled_back', 'not_authentic', 'decrypt_rate']),
    connectionId: z.string(),
    owner: personal(z.string()).describe('The person, by `sub`.'),
    clientId: z.string().optional().describe('Who came with the decision grant; absent where nobody did.'),
    decisionId: z.string().optional(),
  }),
  {
    from: 'elicitation',
    tells: 'The vault saw what only a thief or a fault does. An operator should look at once.',
  },
);
