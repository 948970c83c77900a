import { z } from 'zod';
import { defineEvent } from './define.js';

export const signingKeysRotated = defineEvent('behalf.signing-keys.rotated', z.object({ kid: z.string() }));

export const policyChanged = defineEvent('behalf.policy.changed', z.object({ version: z.string() }));

/** Another definition of a tool was reviewed. */
export const toolPinsChanged = defineEvent(
  'behalf.tool-pins.changed',
  z.object({ server: z.string(), tool: z.string() }),
);
