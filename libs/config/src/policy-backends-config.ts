import { z } from 'zod';
import { listenSchema, path } from './listen.js';

/** A server behind somebody else's gateway. */
export const policyBackendSchema = z.strictObject({
  resource: z
    .string()
    .optional()
    .describe('Resource identifier of the server; access tokens that people present have to be for it.'),
  hosts: z
    .array(z.string().regex(/^[a-z0-9.-]+$/))
    .default([])
    .describe('Hosts it is reached at, without ports; every host without any.'),
  path: path.optional().describe('Path it is reached at, with everything below.'),
  serviceNames: z
    .array(z.string())
    .default([])
    .describe('Names that gateways have for it besides its key here.'),
  enforcesHeaderMatch: z
    .boolean()
    .default(false)
    .describe(
      'The server refuses requests whose Mcp-Method or Mcp-Name differ from the body. Only then are calls decided on headers alone.',
    ),
  exchangeResource: z
    .string()
    .optional()
    .describe("ExtMcp answers with a token for this resource, exchanged for the person's. Off without it."),
});
export type PolicyBackendConfig = z.output<typeof policyBackendSchema>;

const certificateSubjects = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;

/** Whom a caller's certificate has to name. @see RFC 8705 §2.1.2 */
export const policyCallerSchema = z
  .strictObject({
    tls_client_auth_subject_dn: z
      .string()
      .min(1)
      .optional()
      .describe('Who may ask by client certificate: what it has to say, in exactly one of these five.'),
    tls_client_auth_san_dns: z.string().min(1).optional(),
    tls_client_auth_san_uri: z.string().min(1).optional(),
    tls_client_auth_san_ip: z.string().min(1).optional(),
    tls_client_auth_san_email: z.string().min(1).optional(),
  })
  .refine((caller) => certificateSubjects.filter((one) => caller[one] !== undefined).length === 1, {
    message: 'must say exactly one of the names that a certificate can hold',
  });

/** Where gateways ask over gRPC. */
export const policyGrpcSchema = listenSchema(4012)
  .unwrap()
  .extend({
    tls: z
      .strictObject({
        certFile: z.string(),
        keyFile: z.string(),
        clientCaFile: z
          .string()
          .optional()
          .describe(
            'Callers have to present a certificate of this CA; those that `policy.callers` names then need no token.',
          ),
      })
      .optional()
      .describe('Without it the connection is not encrypted; keep it on this machine or inside a mesh.'),
  });

/** What gateways say about a request, and where. */
export const policyDialectsSchema = z
  .strictObject({
    extAuthzPath: path
      .default('/ext-authz')
      .describe('Prefix under which Envoy repeats requests to the HTTP service (its `path_prefix`).'),
    mcpMetadataNamespaces: z
      .array(z.string())
      .default(['mcp_proxy', 'envoy.filters.http.mcp'])
      .describe(
        'Namespaces of Envoy metadata that hold `method` and `params`, the first one that does wins.',
      ),
    jwtMetadata: z
      .strictObject({
        namespace: z.string().default('envoy.filters.http.jwt_authn'),
        key: z.string().default('jwt_payload'),
      })
      .prefault({})
      .describe('Where Envoy puts the claims that it has verified.'),
    exchange: z
      .strictObject({ clientId: z.string(), clientSecretEnv: z.string() })
      .optional()
      .describe('The client that exchanges tokens for backends with an `exchangeResource`.'),
  })
  .prefault({});
