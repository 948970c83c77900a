import { z } from 'zod';
import { defineEvent } from './define.js';

export const signingKeysRotated = defineEvent(
  'behalf.signing-keys.rotated',
  z.object({ kid: z.string().describe('The new key.') }),
  { from: 'authorization-server', tells: 'The issuer has another key to sign with.' },
);

export const policyChanged = defineEvent(
  'behalf.policy.changed',
  z.object({ version: z.string().describe('Of the policies that decide from now on.') }),
  { from: 'policy', tells: 'Other policies decide.' },
);

export const toolPinsChanged = defineEvent(
  'behalf.tool-pins.changed',
  z.object({ server: z.string(), tool: z.string() }),
  { from: 'policy', tells: 'Another definition of a tool was reviewed.' },
);
