import { z } from 'zod';
import { baseUrl, listenSchema } from './listen.js';
import { policyLifeShape } from './policy-life-config.js';
import {
  policyBackendSchema,
  policyCallerSchema,
  policyDialectsSchema,
  policyGrpcSchema,
} from './policy-backends-config.js';

/** The policy decision point. */
export const policySchema = z.strictObject({
  listen: listenSchema(4002),
  publicUrl: baseUrl
    .default('http://localhost:4002')
    .describe("Also the resource identifier of its callers' tokens."),
  policies: z
    .string()
    .describe(
      'Folder with *.cedar, schema.cedarschema and, if any, entities.json and links.json; watched for changes.',
    ),
  allowUnauthenticatedLoopback: z
    .boolean()
    .default(false)
    .describe('Answers callers on this machine without a token. Refused when NODE_ENV=production.'),
  callers: z
    .record(z.string().regex(/^[\w.:-]{1,100}$/), policyCallerSchema)
    .default({})
    .describe(
      'Who may ask by client certificate instead of a token, by the name that the audit log has for them. Over HTTP the certificate is of `mutualTls.authoritiesFile`, over gRPC of `grpc.tls.clientCaFile`.',
    ),
  maxInFlight: z
    .int()
    .positive()
    .default(4096)
    .describe(
      'Decisions being made at once, each of a batch counted; past it callers are told to come back later.',
    ),
  resourceTypes: z
    .record(z.string(), z.string())
    .default({})
    .describe("Resource types besides MCP's, each with its Cedar entity type."),
  grpc: policyGrpcSchema
    .optional()
    .describe('Serves agentgateway ExtMcp and Envoy ext_authz over gRPC. Off without it.'),
  backends: z
    .record(z.string().regex(/^[^/:]+$/), policyBackendSchema)
    .default({})
    .describe("Servers behind other people's gateways, by the name that policies have for them."),
  dialects: policyDialectsSchema,
  ...policyLifeShape,
});
export type PolicyConfig = z.output<typeof policySchema>;
