import { z } from 'zod';
import { delegationSchema } from './delegation.js';
import { keyThumbprint } from './hand-over.js';
import { baseUrl, listenSchema, path } from './listen.js';

const scopesSchema = z
  .strictObject({
    default: z.array(z.string()).min(1).default(['mcp:tools']).describe('Needed for every call.'),
    tools: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe('Needed besides, for calls of these tools.'),
  })
  .prefault({});

const command = {
  command: z.string(),
  args: z.array(z.string()).default([]),
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).default({}).describe('Its whole environment besides PATH and HOME.'),
};

const shared = {
  requireDpop: z
    .boolean()
    .default(false)
    .describe('Refuses access tokens that are not bound to a DPoP key (RFC 9449).'),
  name: z.string().optional().describe('What people see; the key without it.'),
  scopes: scopesSchema,
  delegation: delegationSchema,
  timeoutMs: z
    .int()
    .positive()
    .default(60_000)
    .describe('The longest silence of the upstream during one request.'),
};

const upstreamSchema = z.discriminatedUnion('transport', [
  z.strictObject({ transport: z.literal('stdio'), ...command, ...shared }),
  z.strictObject({
    transport: z.literal('http'),
    url: z.url(),
    token: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('exchange'),
          resource: z.string().optional().describe('Resource of the exchanged token; the URL without it.'),
          scopes: z
            .array(z.string())
            .optional()
            .describe('Asked for in the exchange; all that the caller has without it.'),
        }),
        z.strictObject({ kind: z.literal('none') }),
      ])
      .default({ kind: 'exchange' }),
    thirdParty: z
      .strictObject({
        resource: z.string().describe('Resource indicator of a provider under `elicitation.providers`.'),
        scopes: z.array(z.string()).optional().describe("The provider's default without it."),
        header: z
          .string()
          .regex(/^[a-z][a-z0-9-]*$/)
          .default('authorization')
          .describe('Where the server reads it; in lower case. Another one where `token` is exchanged.'),
        prefix: z.string().default('Bearer '),
      })
      .optional()
      .describe(
        "A third party's token that goes with every call of a tool, prompt or resource. Neither the caller nor its client sees it.",
      ),
    process: z
      .strictObject(command)
      .optional()
      .describe('A program that serves the URL, started and supervised here.'),
    ...shared,
  }),
]);
export type UpstreamConfig = z.output<typeof upstreamSchema>;

/** The reference MCP gateway. */
export const gatewaySchema = z.strictObject({
  listen: listenSchema(4003),
  publicUrl: baseUrl.default('http://localhost:4003'),
  path: path.default('/mcp').describe('Upstream `x` is served at `<publicUrl><path>/x`.'),
  clientId: z.string().describe('The gateway as a client of the authorization server.'),
  clientSecretEnv: z.string().optional(),
  demoClientSecret: z
    .string()
    .optional()
    .describe('A secret written down. Refused when NODE_ENV=production.'),
  allowedOrigins: z
    .array(z.string())
    .default([])
    .describe(
      'Origins of browser-based clients; origins on this machine are allowed where the gateway itself is.',
    ),
  dpop: z
    .strictObject({
      requireNonce: z
        .boolean()
        .default(false)
        .describe('Sends every DPoP proof without a nonce back for one (RFC 9449 §9).'),
      key: z
        .strictObject({
          privateKeyEnv: z
            .string()
            .describe('Environment variable that holds a private JWK for ES256. Only the gateway needs it.'),
          jkt: keyThumbprint.describe(
            'Its thumbprint (RFC 7638): the authorization server hands tokens that are bound to client certificates over to it.',
          ),
        })
        .optional()
        .describe(
          'The DPoP key of all processes of the gateway. Without it each makes its own, and tokens that are bound to client certificates reach no server that needs exchanged ones.',
        ),
    })
    .prefault({}),
  legacyDefaultUpstream: z
    .string()
    .optional()
    .describe('Upstream for clients of 2025-03-26, which cannot name a resource.'),
  limits: z
    .strictObject({
      maxBodyBytes: z
        .int()
        .positive()
        .default(4 * 1024 * 1024),
      maxDepth: z.int().positive().default(64),
      maxInFlight: z.int().positive().default(512),
      policyTimeoutMs: z.int().positive().default(2_000),
      exchangeTimeoutMs: z.int().positive().default(5_000),
    })
    .prefault({}),
  upstreams: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), upstreamSchema),
});
export type GatewayConfig = z.output<typeof gatewaySchema>;
