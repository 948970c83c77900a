import { readFileSync } from 'node:fs';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

const schema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .optional(),
  REDIS_URL: z.string().min(1).optional(),
  NATS_URL: z
    .string()
    .regex(/^(nats|tls):\/\//, 'must be a nats:// or tls:// URL')
    .optional(),
  NATS_NKEY_SEED: z.string().startsWith('SU', 'must be the seed of a user').optional(),
  NATS_CA_FILE: z.string().optional(),
  NATS_CERT_FILE: z.string().optional(),
  NATS_KEY_FILE: z.string().optional(),
  NATS_EVENT_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  METRICS_HOST: z.string().default('127.0.0.1'),
  METRICS_PORT: z.coerce.number().int().min(1).max(65535).optional(),
  DATABASE_MAX_CONNECTIONS: z.coerce.number().int().min(2).max(500).default(10),
});

const checked = schema.refine(
  ({ NATS_CERT_FILE, NATS_KEY_FILE }) => (NATS_CERT_FILE === undefined) === (NATS_KEY_FILE === undefined),
  { path: ['NATS_CERT_FILE'], error: 'needs NATS_KEY_FILE, and the other way round' },
);

/** The servers that this program uses instead of what it embeds, and where it is measured. */
export type ServerAddresses = z.output<typeof schema>;

/** Names of variables and what is wrong with them, never their values: they hold passwords. */
export class ServerAddressError extends Error {
  override readonly name = 'ServerAddressError';
}

/**
 * Reads the environment. Each variable may also be given as a file that holds it, named in `<variable>_FILE`.
 *
 * @throws ServerAddressError with every fault
 */
export function serverAddresses(environment: Environment): ServerAddresses {
  const found = Object.keys(schema.shape).map((name) => [name, valueOf(name, environment)]);
  const parsed = checked.safeParse(Object.fromEntries(found), { reportInput: false });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ServerAddressError(faults.join('\n'));
}

function valueOf(name: string, environment: Environment): string | undefined {
  const file = environment[`${name}_FILE`];
  if (!file) return environment[name] || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new ServerAddressError(`${name}_FILE: cannot be read`);
  }
}
