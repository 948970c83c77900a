import { z } from 'zod';

/** The one in use and the next one: of certificates and of secrets, as of keys. */
const maxAtOnce = 2;

/** What names the holder of a certificate, as client metadata. @see RFC 8705 §2.1.2 */
const certificateSubject = z.enum([
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
]);

const tlsClientAuth = z.strictObject({
  method: z.literal('tls_client_auth'),
  subject: certificateSubject.describe('The part of its certificate that names it.'),
  value: z.string().min(1).max(1_000),
});
const selfSigned = z.strictObject({
  method: z.literal('self_signed_tls_client_auth'),
  certificates: z
    .array(z.string().max(16_384))
    .min(1)
    .max(maxAtOnce)
    .describe('PEM; two while it changes them.'),
});
const attested = z.strictObject({
  method: z.literal('attest_jwt_client_auth'),
  attester: z.string().min(1).max(2_000).describe('A configured attester (`iss` of its attestations).'),
  proof: z
    .enum(['pop', 'dpop'])
    .default('pop')
    .describe(
      'How an instance proves its key: by a proof of its own, or by the DPoP proof that its tokens are bound by.',
    ),
});
const spiffe = z.strictObject({
  method: z.literal('spiffe_jwt'),
  spiffeId: z
    .string()
    .max(2_048)
    .regex(/^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/, 'must be a SPIFFE ID'),
});
const workload = z
  .strictObject({
    method: z.literal('workload'),
    issuer: z.string().min(1).max(2_000).describe('A configured trusted issuer of workload identities.'),
    subject: z.string().min(1).max(1_000).optional().describe('`sub` of its tokens.'),
    claims: z
      .record(z.string().min(1).max(100), z.string().max(1_000))
      .optional()
      .describe(
        'Other claims that its tokens must carry, by exact value; `a.b` names a member of an object.',
      ),
  })
  .refine(({ subject, claims = {} }) => subject !== undefined || Object.keys(claims).length > 0, {
    path: ['subject'],
    message: 'subject or claims, or it would be every workload of the issuer',
  });
const secret = z.strictObject({ method: z.literal('client_secret') });

/** How an agent proves who it is when that is not by keys of its own. */
export const agentCredentialSchema = z.discriminatedUnion('method', [
  secret,
  tlsClientAuth,
  selfSigned,
  attested,
  spiffe,
  workload,
]);
export type AgentCredential = z.output<typeof agentCredentialSchema>;

/** The same as it is kept: secrets are named here, and their hashes are elsewhere. */
export const keptAgentCredentialSchema = z.discriminatedUnion('method', [
  secret.extend({ secrets: z.array(z.object({ id: z.string(), createdAtMs: z.int() })) }),
  tlsClientAuth,
  selfSigned,
  attested,
  spiffe,
  workload,
]);
export type KeptAgentCredential = z.output<typeof keptAgentCredentialSchema>;

/** What the tokens of an agent have to be bound to. */
export const boundTokensSchema = z
  .enum(['dpop', 'mtls'])
  .describe('What its access tokens have to be bound to; without it they are when it sends a DPoP proof.');

/** `POST {admin}/agents/:id/secrets`: told once, and kept by its hash. */
export const agentSecretSchema = z.object({
  id: z.string(),
  clientSecret: z.string(),
});
export type AgentSecret = z.output<typeof agentSecretSchema>;
