import { z } from 'zod';

/** Settings of `policy` about where policies come from, what they know of people, and what is kept of decisions. */
export const policyLifeShape = {
  source: z
    .enum(['files', 'records'])
    .default('files')
    .describe(
      '`records`: bundles are published, and the folder only fills an empty store at the first start.',
    ),
  personAttributes: z
    .record(z.string(), z.string())
    .default({})
    .describe(
      'Claim of a person -> attribute in policies; `groups` names the teams. Other claims are dropped.',
    ),
  numbers: z
    .enum(['byValue', 'decimal'])
    .default('byValue')
    .describe(
      'How `number` arguments of tools with a known schema are put: whole ones as Long, or all as decimal.',
    ),
  approvals: z
    .strictObject({
      requestSeconds: z
        .int()
        .positive()
        .default(900)
        .describe('How long an approval can be asked for, given and used.'),
      clientId: z
        .string()
        .optional()
        .describe(
          'The client as which people sign in to the page where they approve; its redirect URI is <publicUrl>/approvals/callback. No page without it.',
        ),
      secretEnv: z.string().optional().describe('Environment variable that holds its secret.'),
      demoSecret: z.string().optional().describe('A secret written down. Refused when NODE_ENV=production.'),
      approverGroups: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Members of these groups may decide on that page about calls of everybody; others only about their own.',
        ),
    })
    .refine(
      ({ clientId, secretEnv, demoSecret }) =>
        (clientId === undefined) === (secretEnv === undefined && demoSecret === undefined),
      { path: ['secretEnv'], message: 'clientId and secretEnv belong together' },
    )
    .prefault({}),
  decisionRecords: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Keeps decisions, with their inputs sealed, for replay.'),
      retentionDays: z.int().positive().max(3650).default(30),
      maxWaiting: z
        .int()
        .positive()
        .default(10_000)
        .describe('Decisions waiting to be written; past it permissions are left out before denials.'),
    })
    .prefault({}),
};
