import { readFileSync } from 'node:fs';
import { z } from 'zod';

const client = z.strictObject({
  clientId: z.string(),
  secret: z.string().optional(),
  secretEnv: z.string().optional(),
  /** For `private_key_jwt`. */
  privateJwk: z.record(z.string(), z.unknown()).optional(),
});

/** What the kit is told about the token service. `docs/conformance-sts.md` describes each. */
export const stsConfigSchema = z.strictObject({
  issuer: z.url(),
  clients: z.strictObject({
    exchanger: client,
    next: client.optional(),
    stranger: client.optional(),
    subject: client.optional(),
  }),
  subject: z.strictObject({
    grant: z.record(z.string(), z.string()),
  }),
  exchange: z.strictObject({
    target: z.strictObject({ resource: z.string().optional(), audience: z.string().optional() }),
    nextTarget: z
      .strictObject({ resource: z.string().optional(), audience: z.string().optional() })
      .optional(),
    scope: z.string().optional(),
    scopeBeyond: z.string().optional(),
  }),
  idJag: z
    .strictObject({
      issuer: z.string(),
      privateJwk: z.record(z.string(), z.unknown()),
      subject: z.string(),
      resource: z.string(),
      scope: z.string().optional(),
    })
    .optional(),
  without: z.array(z.string()).default([]),
});
export type StsConfig = z.output<typeof stsConfigSchema>;

/** A file with `{"start": "behalf"}` lets the kit start the authorization server of this repository. */
export const configFileSchema = z.union([z.strictObject({ start: z.literal('behalf') }), stsConfigSchema]);

export function readConfig(file: string): z.output<typeof configFileSchema> {
  return configFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
