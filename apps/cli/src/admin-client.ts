import { readFile } from 'node:fs/promises';
import { grantTypes } from '@behalf/oauth';
import { z } from 'zod';
import { UsageError } from './parse-command.js';

const timeoutMs = 30_000;
const metadataSchema = z.looseObject({ issuer: z.string(), token_endpoint: z.url() });
const tokenSchema = z.looseObject({ access_token: z.string() });
const errorSchema = z.looseObject({ error: z.string(), error_description: z.string().optional() });

/** Where administration is, and who asks. */
export const adminOptions = {
  json: { type: 'boolean', default: false },
  issuer: { type: 'string' },
  'admin-url': { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-file': { type: 'string' },
} as const;
export type AdminOptions = Partial<Record<Exclude<keyof typeof adminOptions, 'json'>, string | undefined>>;

export const adminUsage = `  --issuer <URL>, or BEHALF_ISSUER      the authorization server (http://localhost:4000)
  --client-id <id>, or BEHALF_CLIENT_ID; its secret in BEHALF_CLIENT_SECRET or --client-secret-file <file>
  BEHALF_TOKEN                          a token for administration instead
  --admin-url <URL>                     where administration is, if not at <issuer>/admin

  --json prints what a program can read.`;

/** What is administered, where it is not the authorization server itself. */
export interface Administered {
  adminUrl: string;
  /** Whom the token is for. */
  resource: string;
}

/** The authorization server refused, and said why. */
export class AdminRefused extends Error {
  override readonly name = 'AdminRefused';
  constructor(
    readonly status: number,
    readonly code: string,
    description: string,
  ) {
    super(`${code} (${status}): ${description}`);
  }
}

/**
 * Administration over HTTP, with a token for nothing else. The credentials go to the issuer that was named, over TLS or
 * on this machine; redirects are not followed.
 */
export class AdminClient {
  private constructor(
    private readonly adminUrl: string,
    private readonly token: string,
  ) {}

  /** @throws UsageError, AdminRefused */
  static async open(
    options: AdminOptions,
    environment: Record<string, string | undefined>,
    scope = 'admin',
    administered?: Administered,
  ): Promise<AdminClient> {
    const issuer = options.issuer ?? environment['BEHALF_ISSUER'] ?? 'http://localhost:4000';
    const ofIssuer = options['admin-url'] ?? `${issuer}/admin`;
    const { adminUrl, resource } = administered ?? { adminUrl: ofIssuer, resource: ofIssuer };
    for (const url of [issuer, adminUrl]) checkPrivate(url);
    const given = environment['BEHALF_TOKEN'];
    if (given !== undefined) return new AdminClient(adminUrl, given);

    const clientId = options['client-id'] ?? environment['BEHALF_CLIENT_ID'];
    const file = options['client-secret-file'];
    const secret =
      file === undefined ? environment['BEHALF_CLIENT_SECRET'] : (await readFile(file, 'utf8')).trim();
    if (clientId === undefined || secret === undefined) {
      throw new UsageError('BEHALF_CLIENT_ID and BEHALF_CLIENT_SECRET, or BEHALF_TOKEN, are needed');
    }
    const metadata = await ask(`${issuer}/.well-known/oauth-authorization-server`, metadataSchema);
    // RFC 8414 §3.3: or somebody else's token endpoint gets the secret.
    if (metadata.issuer !== issuer) throw new UsageError(`${issuer} says that it is ${metadata.issuer}`);
    checkPrivate(metadata.token_endpoint);
    const credentials = [clientId, secret].map(encodeURIComponent).join(':');
    const { access_token: token } = await ask(metadata.token_endpoint, tokenSchema, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: grantTypes.clientCredentials,
        resource,
        scope,
      }),
    });
    return new AdminClient(adminUrl, token);
  }

  /** @throws AdminRefused */
  async ask<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    return ask(`${this.adminUrl}${path}`, schema, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** What is no JSON. @throws AdminRefused */
  async read(path: string): Promise<Buffer> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await request(`${this.adminUrl}${path}`, { headers });
    return Buffer.from(await response.arrayBuffer());
  }
}

function checkPrivate(url: string): void {
  const { protocol, hostname } = URL.parse(url) ?? {};
  const isLocal = hostname !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isLocal)) return;
  throw new UsageError(`${url} must be https, or http on this machine`);
}

async function ask<T>(url: string, schema: z.ZodType<T>, options: RequestInit = {}): Promise<T> {
  const response = await request(url, options);
  return schema.parse(await response.json());
}

async function request(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, {
    ...options,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.ok) return response;
  const refused = errorSchema.safeParse(await response.json());
  const { error, error_description: description = 'no description' } = refused.data ?? {
    error: 'server_error',
  };
  throw new AdminRefused(response.status, error, description);
}
