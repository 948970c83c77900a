import { grantTypes } from '@behalf/oauth';
import { z } from 'zod';
import { delegationSchema } from './delegation.js';
import { handOverSchema } from './hand-over.js';
import { attesterSchema, spiffeSchema, trustedIssuerSchema } from './trusted-issuers-config.js';
import { sharedSignalsSchema } from './shared-signals-config.js';
import { baseUrl, listenSchema, path } from './listen.js';

const seconds = (value: number) => z.int().positive().default(value);

const boundTokensSchema = z
  .enum(['dpop', 'mtls'])
  .optional()
  .describe('What its access tokens have to be bound to; without it they are when it sends a DPoP proof.');

/** Who has nothing to authenticate with can show that it began what it ends. */
const pkceGrants: ReadonlySet<string> = new Set([grantTypes.authorizationCode, grantTypes.refreshToken]);

const clientSchema = z
  .strictObject({
    clientId: z
      .string()
      .min(1)
      .refine((id) => !id.startsWith('https://'), 'an https client_id is a metadata document URL'),
    clientName: z.string().optional(),
    secretEnv: z.string().optional().describe('Environment variable that holds the client secret.'),
    demoSecret: z.string().optional().describe('A secret written down. Refused when NODE_ENV=production.'),
    tokenEndpointAuthMethod: z
      .enum(['client_secret_basic', 'client_secret_post', 'none'])
      .default('client_secret_basic'),
    boundTokens: boundTokensSchema,
    applicationType: z.enum(['native', 'web']).default('web'),
    redirectUris: z.array(z.url()).default([]),
    grantTypes: z
      .array(z.enum(Object.values(grantTypes) as [string, ...string[]]))
      .default([grantTypes.authorizationCode, grantTypes.refreshToken]),
    scopes: z
      .array(z.string())
      .default([])
      .describe('What the client may get for itself with client_credentials.'),
    exchange: z
      .strictObject({
        audiences: z
          .array(z.string())
          .describe('Resources it may ask tokens for on behalf of people; a `*` at the end is a prefix.'),
        scopes: z.array(z.string()).describe('The most it may carry. Empty denies all.'),
        authorizationDetailsTypes: z
          .array(z.string())
          .default([])
          .describe('Types of authorization details (RFC 9396) that its tokens may carry.'),
        purpose: z.string().optional().describe('What for, in words for the people it acts for.'),
        impersonation: z
          .array(z.string())
          .default([])
          .describe(
            'Resources at which its tokens do not name it: it acts as the person. Policy has to permit `impersonate` as well.',
          ),
        maxTargets: z
          .int()
          .min(1)
          .max(10)
          .default(1)
          .describe('The most resources that one token may be for: each of them could use it at the others.'),
      })
      .optional()
      .describe('What the client may do on behalf of people by token exchange.'),
  })
  .refine(
    (c) =>
      (c.tokenEndpointAuthMethod === 'none') === (c.secretEnv === undefined && c.demoSecret === undefined),
    {
      message: 'a confidential client needs secretEnv, a public one must have none',
    },
  )
  .refine((c) => c.tokenEndpointAuthMethod !== 'none' || c.grantTypes.every((type) => pkceGrants.has(type)), {
    message: 'a public client may only have grants that PKCE protects',
  })
  .refine((c) => c.tokenEndpointAuthMethod !== 'none' || c.exchange === undefined, {
    message: 'a public client may not exchange tokens',
  });
export type ClientConfig = z.output<typeof clientSchema>;

const resourceSchema = z
  .strictObject({
    resource: z.url().describe('The resource identifier, as it stands in `aud`.'),
    name: z.string().describe('What the consent page calls it.'),
    scopes: z.array(z.string()).min(1),
    defaultScopes: z
      .array(z.string())
      .optional()
      .describe('Granted when a client names no scope; all of `scopes` without it.'),
    servedBy: z
      .array(z.string())
      .default([])
      .describe('Clients that are this resource: they may exchange tokens addressed to it.'),
    handsOverTo: handOverSchema,
    delegation: delegationSchema,
  })
  .refine(
    ({ handsOverTo, servedBy }) => handsOverTo === undefined || servedBy.includes(handsOverTo.clientId),
    {
      path: ['handsOverTo', 'clientId'],
      message: 'is not one of servedBy',
    },
  );

const authorizationDetailsTypeSchema = z.strictObject({
  description: z.string().min(1).describe('What it lets a client do, in words for the consent page.'),
  actions: z.array(z.string().min(1)).optional().describe('Its actions; any without it.'),
  members: z
    .record(z.string(), z.string())
    .default({})
    .describe('Its members besides those of RFC 9396 §2.2, in words. It may have no others.'),
  required: z.array(z.string()).default([]).describe('Members that it has to have.'),
});
export type AuthorizationDetailsType = z.output<typeof authorizationDetailsTypeSchema>;

const signInSchema = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('local').describe('A form with the users below. Refused when NODE_ENV=production.'),
    users: z.array(
      z.strictObject({
        // `<issuer>#<sub>` are people of other issuers.
        username: z.string().regex(/^[^#]+$/),
        password: z.string().min(1),
        name: z.string(),
        groups: z.array(z.string()).default([]),
      }),
    ),
  }),
  z.strictObject({
    method: z.literal('upstream').describe('An OpenID provider that people already have.'),
    issuer: z.url(),
    clientId: z.string(),
    clientSecretEnv: z.string().optional(),
    scope: z.string().default('openid profile'),
    groupsClaim: z
      .string()
      .default('groups')
      .describe('The claim of its ID token that lists the groups of a person.'),
    displayName: z.string().default('your organisation'),
  }),
]);

/** The authorization server. */
export const authorizationServerSchema = z.strictObject({
  issuer: baseUrl.default('http://localhost:4000').describe('Issuer identifier; also its public URL.'),
  internalUrl: baseUrl
    .optional()
    .describe(
      'Where our other services reach the issuer, when its public name does not lead there: scheme, host and port that stand in for those of the issuer.',
    ),
  mutualTlsUrl: baseUrl
    .optional()
    .describe(
      'Where clients with certificates reach the issuer, when that is another host: scheme, host and port. It is in the metadata as `mtls_endpoint_aliases` (RFC 8705 §5), with `mutualTls.enabled`.',
    ),
  listen: listenSchema(4000),
  paths: z
    .strictObject({
      authorization: path.default('/auth'),
      pushedAuthorizationRequest: path.default('/par'),
      token: path.default('/token'),
      jwks: path.default('/jwks'),
      registration: path.default('/register'),
      explain: path
        .default('/exchange/explain')
        .describe(
          'What a token exchange would come to, and why; for administrators and for the client itself.',
        ),
      introspection: path.default('/introspect'),
      revocation: path.default('/revoke'),
      userinfo: path.default('/userinfo'),
      endSession: path.default('/session/end'),
      interaction: path.default('/interaction'),
      signInCallback: path.default('/sign-in/callback'),
      admin: path.default('/admin'),
      account: path.default('/me').describe('Where people see who may act for them.'),
      delegations: path.default('/delegations').describe('Where people decide whether an agent may.'),
      sharedSignals: path
        .default('/ssf')
        .describe('Streams of security events (SSF), for outside receivers and transmitters.'),
      agents: path
        .default('/agents')
        .describe("Agents' ids begin with it, so it cannot change once there are some."),
    })
    .prefault({}),
  lifetimes: z
    .strictObject({
      accessTokenSeconds: seconds(900).describe('Above 300: some clients refresh in a hot loop below it.'),
      exchangedTokenSeconds: seconds(300).describe(
        'The most a delegated token lives; never beyond its subject token.',
      ),
      refreshTokenSeconds: seconds(14 * 24 * 3600),
      refreshGraceSeconds: z
        .int()
        .min(0)
        .default(10)
        .describe('How long a rotated refresh token still answers, for parallel refreshes.'),
      authorizationCodeSeconds: seconds(60),
      sessionSeconds: seconds(8 * 3600),
      interactionSeconds: seconds(600),
      grantSeconds: seconds(90 * 24 * 3600),
      delegationGrantSeconds: seconds(30 * 24 * 3600).describe(
        'How long an agent may act for a person who agreed to it.',
      ),
    })
    .prefault({}),
  idJag: z
    .strictObject({
      lifetimeSeconds: seconds(300),
      authorizationServers: z
        .array(
          z.strictObject({
            issuer: z.url(),
            aliases: z.array(z.string()).default([]).describe('Other names that clients may ask for it by.'),
            clients: z
              .record(z.string(), z.string())
              .default({})
              .describe('`client_id` here to `client_id` there; metadata documents are the same everywhere.'),
            resources: z
              .array(z.string())
              .describe('Resources of it that may be named; a `*` at the end is a prefix.'),
            scopes: z.array(z.string()).default([]).describe('The most that an assertion for it may carry.'),
          }),
        )
        .default([]),
    })
    .prefault({})
    .describe('Authorization servers that take identity assertions (ID-JAG) made here.'),
  trustedIssuers: z.array(trustedIssuerSchema).default([]),
  attesters: z
    .array(attesterSchema)
    .default([])
    .describe('Turns attestation-based client authentication on.'),
  spiffe: spiffeSchema.optional().describe('Lets agents authenticate with JWT-SVIDs of these trust domains.'),
  dpop: z
    .strictObject({
      requireNonce: z
        .boolean()
        .default(false)
        .describe('Sends every DPoP proof without a nonce back for one (RFC 9449 §8).'),
    })
    .prefault({}),
  sharedSignals: sharedSignalsSchema,
  scopes: z.record(z.string(), z.string()).default({}).describe('Each scope in words, for the consent page.'),
  authorizationDetailsTypes: z
    .record(z.string().min(1), authorizationDetailsTypeSchema)
    .default({})
    .describe('Types of authorization details (RFC 9396) that clients may ask people for.'),
  resources: z
    .array(resourceSchema)
    .default([])
    .describe('Protected resources besides the ones of this deployment.'),
  clients: z.array(clientSchema).default([]),
  signIn: signInSchema,
  transactionTokens: z
    .strictObject({
      trustDomain: z.string().min(1).describe('What they are for (`aud`), and the `audience` to ask for.'),
      lifetimeSeconds: seconds(30),
      maxReplacements: z.int().min(0).max(4).default(3).describe('How often one may be replaced on its way.'),
    })
    .optional()
    .describe('Transaction tokens for the workloads of one trust domain; none without it.'),
  clientIdMetadata: z
    .strictObject({
      enabled: z.boolean().default(true),
      pinned: z
        .array(z.strictObject({ url: z.url(), file: z.string() }))
        .default([])
        .describe('Documents read from files instead of fetched.'),
      allowedHosts: z
        .array(z.string())
        .optional()
        .describe('Only documents of these hosts; all hosts without it.'),
    })
    .prefault({}),
  registration: z
    .strictObject({
      enabled: z.boolean().default(true),
      perMinute: z
        .int()
        .positive()
        .default(60)
        .describe('Registrations accepted in a minute, from everybody together.'),
      unusedDays: z
        .int()
        .positive()
        .default(90)
        .describe('A registered client that nobody used for so long is forgotten.'),
    })
    .prefault({}),
});
export type AuthorizationServerConfig = z.output<typeof authorizationServerSchema>;
