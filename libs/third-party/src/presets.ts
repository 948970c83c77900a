import { identitySchema, providerQuirksSchema, webhookShapeSchema } from '@behalf/config';
import { z } from 'zod';
import presetData from './presets.json' with { type: 'json' };

const common = {
  name: z.string(),
  /** Where the provider describes it. */
  source: z.url(),
  resources: z.array(z.url()).min(1),
  scopes: z.record(z.string(), z.string()).default({}),
  defaultScopes: z.array(z.string()).optional(),
  impliedScopes: z.record(z.string(), z.array(z.string())).optional(),
};

const presetSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('oauth'),
    ...common,
    issuer: z.url().optional(),
    endpoints: z.strictObject({ authorization: z.url(), token: z.url() }).optional(),
    revocation: z
      .strictObject({ style: z.enum(['rfc7009', 'bearer', 'github']), endpoint: z.url() })
      .optional(),
    identity: identitySchema.optional(),
    webhook: webhookShapeSchema.optional(),
    auth: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
    quirks: providerQuirksSchema.default({}),
  }),
  z.strictObject({
    kind: z.literal('static'),
    ...common,
    credential: z.strictObject({
      label: z.string(),
      hint: z.string(),
      header: z.string().optional(),
      prefix: z.string().optional(),
    }),
    probe: z.strictObject({
      url: z.url(),
      method: z.enum(['GET', 'POST']).default('GET'),
      account: z.string().optional(),
    }),
  }),
]);
export type Preset = z.output<typeof presetSchema>;
export type OAuthPreset = Extract<Preset, { kind: 'oauth' }>;
export type StaticPreset = Extract<Preset, { kind: 'static' }>;

/** Providers whose endpoints, scopes and ways are known, by the name a configuration calls them. */
export const presets: Readonly<Record<string, Preset>> = z.record(z.string(), presetSchema).parse(presetData);
