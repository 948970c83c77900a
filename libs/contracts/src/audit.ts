import { z } from 'zod';
import { defineEvent } from './define.js';

/** The audit log has grown, and says how far: whoever keeps this will know if it is ever rewritten. */
export const auditCheckpointSigned = defineEvent(
  'behalf.audit.checkpoint-signed',
  z.object({
    size: z.number().int().nonnegative(),
    /** A C2SP signed note. */
    checkpoint: z.string(),
  }),
);
