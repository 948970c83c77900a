import { z } from 'zod';

/** What lets a client act for a person at a resource. */
export const delegationSchema = z
  .enum(['policy', 'grant'])
  .default('policy')
  .describe(
    'What an exchange for it stands on: policy alone, or a delegation grant of the person to the agent as well.',
  );
