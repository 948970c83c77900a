import { z } from 'zod';
import { trustedPeopleSchema } from './trusted-people-config.js';

const algorithm = z.enum([
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]);
/** Where the keys of another issuer are. */
export const trustedKeysSchema = {
  jwksUri: z.url().optional().describe('Its key set; what its metadata names without it.'),
  jwks: z
    .looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })
    .optional()
    .describe('Its key set, written down; nothing is fetched.'),
  algorithms: z.array(algorithm).min(1).default(['ES256', 'RS256']),
};
const lifetimeSeconds = z
  .int()
  .positive()
  .max(24 * 3600);

/** Issuers whose JWTs say something here. Each use is given by itself: nothing is trusted for everything. */
export const trustedIssuerSchema = z.strictObject({
  issuer: z.url().describe('`iss` of its tokens, byte for byte.'),
  ...trustedKeysSchema,
  workloads: z
    .strictObject({
      audiences: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('What its tokens are made out to, one of these; the issuer of this server without it.'),
      maxLifetimeSeconds: lifetimeSeconds.default(3600).describe('The most its tokens may live.'),
      reusable: z
        .boolean()
        .default(false)
        .describe(
          'Takes a token with a `jti` more than once, as the projected tokens of Kubernetes need. Those without one are never used up.',
        ),
    })
    .optional()
    .describe('Its tokens are workload identities: agents authenticate with them.'),
  people: trustedPeopleSchema
    .optional()
    .describe(
      'Its tokens stand for people: clients exchange them for ours, to act on behalf of those people.',
    ),
  identityAssertions: z
    .strictObject({
      clients: z
        .array(z.string())
        .optional()
        .describe('Clients that may redeem its assertions; every client that one names without it.'),
      tenant: z.string().optional().describe('`tenant` that its assertions must carry.'),
      people: z
        .enum(['known', 'all'])
        .default('known')
        .describe(
          '`known`: people who have signed in here with it; `all`: others, too, as `<issuer>#<sub>`.',
        ),
      maxLifetimeSeconds: lifetimeSeconds.default(300).describe('The most its assertions may live.'),
    })
    .optional()
    .describe('It asserts people to clients (ID-JAG, MCP Enterprise-Managed Authorization).'),
});
export type TrustedIssuerConfig = z.output<typeof trustedIssuerSchema>;

/** Who attests that a client instance is what it says. */
export const attesterSchema = z.strictObject({
  issuer: z.string().min(1).describe('`iss` of its attestations.'),
  ...trustedKeysSchema,
});

export const spiffeSchema = z.strictObject({
  assertionType: z
    .string()
    .default('urn:ietf:params:oauth:client-assertion-type:jwt-spiffe')
    .describe('`client_assertion_type` of a JWT-SVID; not registered with IANA yet.'),
  trustDomains: z
    .array(
      z
        .strictObject({
          name: z.string().regex(/^[a-z0-9._-]{1,255}$/),
          bundleUri: z.url().optional().describe('Its bundle endpoint (https_web).'),
          bundle: trustedKeysSchema.jwks.describe('Its bundle, written down.'),
          maxLifetimeSeconds: lifetimeSeconds.default(3600).describe('The most its JWT-SVIDs may live.'),
        })
        .refine((domain) => (domain.bundle === undefined) !== (domain.bundleUri === undefined), {
          message: 'bundle or bundleUri, one of them',
        }),
    )
    .min(1),
});
