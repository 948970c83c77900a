import { z } from 'zod';
import { baseUrl } from './listen.js';

const vaultKeySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('local'),
    keyEnv: z.string().describe('Environment variable that holds 32 bytes in base64.'),
  }),
  z.strictObject({
    kind: z.literal('transit').describe('OpenBao or HashiCorp Vault.'),
    url: baseUrl,
    mount: z.string().default('transit'),
    key: z.string(),
    tokenEnv: z.string().default('VAULT_TOKEN'),
    namespace: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('aws-kms').describe('Credentials come from the usual AWS_ variables.'),
    keyArn: z.string().regex(/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/, 'must be the ARN of a key'),
    endpoint: baseUrl.optional(),
  }),
]);
export type VaultKeyConfig = z.output<typeof vaultKeySchema>;

export const vaultSchema = z
  .strictObject({
    key: vaultKeySchema
      .optional()
      .describe('What the data keys are sealed under; the key of the data folder without it.'),
    formerKeys: z
      .array(vaultKeySchema)
      .default([])
      .describe('Keys that still open what was sealed under them, until it has been sealed anew.'),
    grantSeconds: z
      .int()
      .min(1)
      .max(60)
      .default(10)
      .describe('How long a decision of the policy service lets one credential be opened.'),
    opensPerMinute: z
      .int()
      .positive()
      .default(600)
      .describe('More openings than this in a minute for one person raise an alarm.'),
  })
  .prefault({})
  .describe('Where credentials of third parties are kept.');
