import { z } from 'zod';
import { auditSchema } from './audit-config.js';
import { authorizationServerSchema } from './authorization-server-config.js';
import { elicitationSchema } from './elicitation-config.js';
import { gatewaySchema } from './gateway-config.js';
import { path } from './listen.js';
import { mutualTlsSchema } from './mutual-tls-config.js';
import { policySchema } from './policy-config.js';

/** The whole file. Unknown keys are faults: a misspelt setting must not silently mean its default. */
export const configSchema = z.strictObject({
  dataFolder: z
    .string()
    .default('.behalf')
    .describe('Embedded database and keys, relative to the working directory.'),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  otlpEndpoint: z
    .url()
    .optional()
    .describe('OTLP/HTTP base URL for traces; OTEL_EXPORTER_OTLP_ENDPOINT without it; none: tracing is off.'),
  development: z
    .strictObject({
      allowLoopbackFetch: z
        .boolean()
        .default(false)
        .describe(
          'Lets documents named by strangers come from this machine. Refused when NODE_ENV=production.',
        ),
      allowLoopbackProviders: z
        .boolean()
        .default(false)
        .describe(
          'Lets third parties of `elicitation.providers` be on this machine, over plain http. Refused when NODE_ENV=production.',
        ),
    })
    .prefault({}),
  requestTimeoutSeconds: z
    .number()
    .min(1)
    .max(300)
    .default(15)
    .describe(
      'What a request to any service may take altogether; then it begins nothing more and is answered 503. Waiting for a person, a third party or an upstream has limits of its own.',
    ),
  health: z
    .strictObject({
      live: path.default('/healthz').describe('200 while the process lives.'),
      ready: path.default('/readyz').describe('200 when it can serve, 503 with the reasons while it cannot.'),
    })
    .prefault({})
    .describe('Where every service tells how it is.'),
  mutualTls: mutualTlsSchema,
  audit: auditSchema,
  authorizationServer: authorizationServerSchema,
  policy: policySchema,
  gateway: gatewaySchema,
  elicitation: elicitationSchema,
});
export type BehalfConfig = z.output<typeof configSchema>;
