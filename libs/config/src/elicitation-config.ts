import { z } from 'zod';
import { baseUrl, listenSchema, path } from './listen.js';
import { providerSchema } from './provider-config.js';
import { vaultSchema } from './vault-config.js';

/** The elicitation service: the broker to third parties. */
export const elicitationSchema = z
  .strictObject({
    listen: listenSchema(4001),
    publicUrl: baseUrl.default('http://localhost:4001'),
    paths: z
      .strictObject({
        connect: path.default('/connect'),
        callback: path
          .default('/callback')
          .describe('Each provider has a callback of its own below it, so that none answers for another.'),
        clientMetadata: path
          .default('/client-metadata.json')
          .describe("Our client metadata document, for MCP servers' authorization servers."),
        connections: path.default('/connections').describe('Where people see what they have connected.'),
        signInCallback: path.default('/sign-in/callback'),
        elicitations: path.default('/elicitations').describe('Where agents ask how far a person is.'),
        admin: path.default('/admin/vault').describe('Where operators look after the vault.'),
        providerEvents: path
          .default('/provider-events')
          .describe('Where providers tell that a grant is over, each below its id.'),
        forward: path
          .default('/forward')
          .describe('Below it, by provider, host and path, the APIs that are called for agents.'),
      })
      .prefault({}),
    client: z
      .strictObject({
        id: z.string().min(1),
        secretEnv: z.string().optional(),
        demoSecret: z
          .string()
          .optional()
          .describe('A secret written down. Refused when NODE_ENV=production.'),
      })
      .refine(({ secretEnv, demoSecret }) => (secretEnv === undefined) !== (demoSecret === undefined), {
        message: 'needs secretEnv or demoSecret, one of them',
      })
      .optional()
      .describe('This service as a client of our issuer: people sign in through it. Needed with providers.'),
    elicitationSeconds: z
      .int()
      .min(60)
      .max(24 * 3600)
      .default(900)
      .describe('How long a person has to open a link and decide.'),
    providers: z
      .array(providerSchema)
      .default([])
      .refine((providers) => new Set(providers.map(({ id }) => id)).size === providers.length, {
        message: 'two providers have the same id',
      })
      .describe('Third parties that people can connect.'),
    vault: vaultSchema,
  })
  .refine(({ providers, client }) => providers.length === 0 || client !== undefined, {
    path: ['client'],
    message: 'people cannot connect providers unless they can sign in',
  })
  .prefault({});
export type ElicitationConfig = z.output<typeof elicitationSchema>;
