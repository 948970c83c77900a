import { z } from 'zod';
import { defineEvent } from './define.js';

export const auditCheckpointSigned = defineEvent(
  'behalf.audit.checkpoint-signed',
  z.object({
    size: z.number().int().nonnegative().describe('How many records it has.'),
    checkpoint: z.string().describe('A C2SP signed note.'),
  }),
  {
    from: 'authorization-server',
    tells: 'The audit log has grown, and says how far: whoever keeps this will know if it is ever rewritten.',
  },
);
