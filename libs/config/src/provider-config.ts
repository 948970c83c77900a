import { z } from 'zod';
import { forwardSchema } from './forward-config.js';
import { scopeToken } from './text.js';
import { webhookSchema } from './webhook-config.js';

const endpointsSchema = z.strictObject({
  authorization: z.url(),
  token: z.url(),
});

const clientSchema = z.strictObject({
  id: z.string().min(1),
  auth: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional()
    .describe('How we authenticate; `client_secret_basic` without it, or what the preset says.'),
  secretEnv: z.string().optional().describe('Environment variable that holds the client secret.'),
  demoSecret: z.string().optional().describe('A secret written down. Refused when NODE_ENV=production.'),
  privateKeyEnv: z
    .string()
    .optional()
    .describe('Environment variable that holds the private key as a JWK with `alg` and `kid`.'),
});

/** What every kind of provider is: an id, a name, the resources its credentials open, and its scopes in words. */
const common = {
  id: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'lower case letters, digits and hyphens'),
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line of plain text')
    .optional()
    .describe('What people are shown; the name of the preset, or the id, without it.'),
  resources: z
    .array(z.url().refine((url) => !url.includes('#'), 'a resource indicator has no fragment'))
    .min(1)
    .optional()
    .describe('Resource indicators (RFC 8707) that tokens of this provider are asked for by.'),
  scopes: z.record(scopeToken, z.string()).optional().describe('Each scope that may be asked for, in words.'),
  defaultScopes: z
    .array(scopeToken)
    .optional()
    .describe('Asked for when a caller names none; all of `scopes` without it.'),
  impliedScopes: z
    .record(scopeToken, z.array(scopeToken))
    .optional()
    .describe('What a scope gives as well, as `repo: [public_repo]`: who has it is not asked for the other.'),
  internalHosts: z
    .array(z.string())
    .default([])
    .describe('Hosts of this provider inside our own network. No other one that it names is ever dialled.'),
  forward: forwardSchema.optional(),
};

export const identitySchema = z.strictObject({
  url: z.url().describe('Asked with the new token.'),
  id: z.string().min(1).describe('The member of its JSON answer that holds the id, which never changes.'),
  name: z.string().min(1).optional().describe('The member that holds what people call the account.'),
});

/** How revocation is asked for: RFC 7009, the token itself as the bearer, or GitHub's own way. */
const revocationSchema = z.strictObject({
  style: z.enum(['rfc7009', 'bearer', 'github']),
  endpoint: z.url(),
});

/** Where a provider leaves the road of the RFCs. */
export const providerQuirksSchema = z.strictObject({
  pkce: z.boolean().optional().describe('False for the few that refuse PKCE.'),
  sendResource: z.boolean().optional().describe('Whether it takes `resource` (RFC 8707).'),
  scopeParameter: z.string().optional().describe('Slack asks for what a person grants in `user_scope`.'),
  scopeSeparator: z.enum([' ', ',']).optional(),
  addedScopes: z
    .array(scopeToken)
    .optional()
    .describe('Asked for besides, such as `offline_access`: what says nothing of what may be done.'),
  authorizationParameters: z.record(z.string(), z.string()).optional(),
  tokenRequestBody: z.enum(['form', 'json']).optional(),
  tokenMember: z
    .string()
    .optional()
    .describe('The member of the token response that holds the tokens of the person, as `authed_user`.'),
  refreshTokens: z.enum(['rotating', 'lasting']).optional().describe('Whether a refresh token is used once.'),
  refreshGraceSeconds: z
    .int()
    .min(0)
    .optional()
    .describe('How long a refresh token that was used is still answered.'),
  accessTokenSeconds: z
    .int()
    .positive()
    .optional()
    .describe('How long access tokens live when the response does not say.'),
});
export type ProviderQuirks = z.output<typeof providerQuirksSchema>;

const oauthProviderSchema = z.strictObject({
  kind: z.literal('oauth'),
  ...common,
  preset: z.string().optional().describe('A provider that is known already, such as `github`.'),
  issuer: z
    .url()
    .optional()
    .describe('Its issuer identifier: endpoints are discovered (RFC 8414, OpenID), and `iss` is checked.'),
  endpoints: endpointsSchema.optional().describe('Instead of discovery.'),
  revocation: revocationSchema.optional(),
  identity: identitySchema
    .optional()
    .describe('Where the account of a token is found out; the `sub` of an ID token without it.'),
  webhook: webhookSchema.optional(),
  client: clientSchema,
  quirks: providerQuirksSchema.optional(),
});

const mcpProviderSchema = z.strictObject({
  kind: z
    .literal('mcp')
    .describe(
      'A remote MCP server with an authorization server of its own: RFC 9728, RFC 8414, then CIMD or DCR.',
    ),
  ...common,
  server: z.url().describe('The URL of the MCP server; also its resource indicator.'),
  client: clientSchema
    .optional()
    .describe('A client registered by hand; without it our metadata document or dynamic registration.'),
  quirks: providerQuirksSchema.optional(),
});

const staticProviderSchema = z.strictObject({
  kind: z.literal('static').describe('A personal access token or API key that a person enters on our page.'),
  ...common,
  preset: z.string().optional(),
  credential: z
    .strictObject({
      label: z.string().default('Access token'),
      hint: z.string().optional().describe('Where people find it.'),
      header: z.string().default('authorization').describe('The header it is used in.'),
      prefix: z.string().default('Bearer ').describe('What stands before it there.'),
    })
    .prefault({}),
  probe: z
    .strictObject({
      url: z.url().describe('Answers 200 to a good credential, 401 or 403 to a bad one.'),
      method: z.enum(['GET', 'POST']).default('GET'),
      account: z.string().optional().describe('The member of its JSON answer that names the account.'),
    })
    .optional()
    .describe('Needed unless the preset has one.'),
});

export const providerSchema = z.discriminatedUnion('kind', [
  oauthProviderSchema,
  mcpProviderSchema,
  staticProviderSchema,
]);
export type ProviderConfig = z.output<typeof providerSchema>;
