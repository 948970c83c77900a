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
  ): Promise<AdminClient> {
    const issuer = options.issuer ?? environment['BEHALF_ISSUER'] ?? 'http://localhost:4000';
    const adminUrl = options['admin-url'] ?? `${issuer}/admin`;
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
    const metadata = metadataSchema.parse(await ask(`${issuer}/.well-known/oauth-authorization-server`));
    // RFC 8414 §3.3: or somebody else's token endpoint gets the secret.
    if (metadata.issuer !== issuer) throw new UsageError(`${issuer} says that it is ${metadata.issuer}`);
    checkPrivate(metadata.token_endpoint);
    const credentials = [clientId, secret].map(encodeURIComponent).join(':');
    const answer = await ask(metadata.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: grantTypes.clientCredentials,
        resource: adminUrl,
        scope: 'admin',
      }),
    });
    return new AdminClient(adminUrl, tokenSchema.parse(answer).access_token);
  }

  /** @throws AdminRefused */
  async ask<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await ask(`${this.adminUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return schema.parse(answer);
  }
}

function checkPrivate(url: string): void {
  const { protocol, hostname } = URL.parse(url) ?? {};
  const isLocal = hostname !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isLocal)) return;
  throw new UsageError(`${url} must be https, or http on this machine`);
}

async function ask(url: string, options: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, {
    ...options,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const refused = errorSchema.safeParse(answer);
  const { error, error_description: description = 'no description' } = refused.data ?? {
    error: 'server_error',
  };
  throw new AdminRefused(response.status, error, description);
}
