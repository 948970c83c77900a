import { z } from 'zod';
import { baseUrl, listenSchema, path } from './listen.js';

const scopeToken = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope (RFC 6749 §3.3)');

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

const forwardOrigin = z
  .url({ protocol: /^https?$/ })
  .refine((url) => URL.parse(url)?.origin === url, 'must be scheme, host and port, and nothing more');

const headerName = z.string().regex(/^[a-z0-9-]+$/, 'must be the name of a header in lower case');
/** What says who is asking, how a message is framed, where it goes, or what it means. */
const neverForwarded =
  /^(?:authorization|proxy-.*|cookie2?|set-cookie2?|dpop.*|www-authenticate|host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|forwarded|via|x-forwarded-.*|x-real-ip|x-http-method.*|x-method-override|access-control-.*|location|origin|referer|sec-.*)$/;
const forwardedHeaders = z
  .array(headerName.refine((name) => !neverForwarded.test(name), 'is never passed on'))
  .default([]);

const forwardRuleSchema = z.strictObject({
  origin: forwardOrigin
    .optional()
    .describe('Scheme, host and port of the API; those of the first of `resources` without it.'),
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']))
    .min(1)
    .default(['GET', 'HEAD']),
  paths: z
    .array(z.string().regex(/^(?=\/)(?:\/[^/?#%;*\s]+|\/\*)*(?:\/\*\*|\/)?$/, 'must be a path'))
    .min(1)
    .describe('`/repos/*`: `*` is any one segment, `**` at the end one or more. Nothing is encoded in it.'),
  scopes: z
    .array(scopeToken)
    .default([])
    .describe(
      'The scopes of the provider that such a call needs: of the token, and of what its person agreed to.',
    ),
});

const forwardSchema = z
  .strictObject({
    rules: z.array(forwardRuleSchema).min(1),
    requestHeaders: forwardedHeaders.describe('Passed on to the provider besides the usual ones.'),
    responseHeaders: forwardedHeaders.describe('Passed back besides the usual ones.'),
    maxRequestBytes: z.int().positive().default(1_048_576),
    maxResponseBytes: z.int().positive().default(10_485_760),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(60)
      .describe('For the whole call, the last byte included.'),
  })
  .describe('What agents may call of its API through `paths.forward`, without ever holding the token.');

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

/** What a provider signs, and how its events read: data, so that another provider needs no code. */
export const webhookShapeSchema = z.strictObject({
  signature: z.strictObject({
    header: headerName,
    algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    prefix: z.string().default('').describe('What stands before the signature in its header.'),
    signedPrefix: z
      .string()
      .default('')
      .describe('What is signed before the body; `{timestamp}` stands for the value of `timestampHeader`.'),
    timestampHeader: headerName.optional().describe('Seconds since the epoch; 300 old at most.'),
  }),
  deliveryHeader: headerName.optional().describe('Names one delivery: it counts once.'),
  revoked: z
    .strictObject({
      headers: z.record(headerName, z.string()).default({}),
      body: z.record(z.string(), z.string()).default({}),
    })
    .refine(({ headers, body }) => Object.keys({ ...headers, ...body }).length > 0, {
      message: 'needs something to tell the event by',
    })
    .describe('Which events say that a grant is over: values of headers, and of members of the JSON body.'),
  account: z.string().min(1).describe('The member that holds the id of the account, as `sender.id`.'),
  challenge: z
    .string()
    .min(1)
    .optional()
    .describe('The member that is sent back when the provider asks whether somebody is there.'),
});

const webhookSchema = webhookShapeSchema
  .partial()
  .extend({
    secretEnv: z.string().optional().describe('Environment variable that holds what events are signed with.'),
    demoSecret: z.string().optional().describe('A secret written down. Refused when NODE_ENV=production.'),
  })
  .describe(
    'How the provider tells that a grant is over, at `paths.providerEvents`; the rest from the preset.',
  );

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

const vaultSchema = z
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
